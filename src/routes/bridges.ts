import { Hono } from "hono";
import { invalidInput } from "../errors.js";
import type { BridgeInput } from "../heads/bridge-job.js";
import type { ListedBridge } from "../heads/bridge-version.js";
import { checkLabelled } from "../heads/collection-pairs.js";
import type { Services } from "../services.js";
import { BridgeActivation, BridgeAnswer, BridgeBody, BridgeList } from "../wire/bridges.js";
import { Deleted } from "../wire/common.js";
import { JobStarted } from "../wire/jobs.js";
import { bodyErrors, describe, json, storeErrors } from "./describe.js";
import { jobAnswer } from "./job-answer.js";
import { readJson } from "./read-json.js";

const tag = "Bridges";
const answers = { 200: { content: json(BridgeAnswer) } };
const operations = {
  learn: describe({
    id: "learnBridge",
    tag,
    summary: "Learns a bridge between the spaces of two models, as a job",
    description: "See docs/bridges.md.",
    body: json(BridgeBody),
    answers: { 202: { content: json(JobStarted) } },
    errors: [...bodyErrors, ...storeErrors, "model_not_found"],
  }),
  list: describe({
    id: "listBridges",
    tag,
    summary: "All bridges",
    answers: { 200: { content: json(BridgeList) } },
    errors: storeErrors,
  }),
  get: describe({ id: "getBridge", tag, summary: "One bridge", answers, errors: storeErrors }),
  delete: describe({
    id: "deleteBridge",
    tag,
    summary: "Removes the versions made on this server",
    answers: { 200: { content: json(Deleted) } },
    errors: storeErrors,
  }),
  activate: describe({
    id: "activateBridge",
    tag,
    summary: "Uses a version for searches from now on",
    body: json(BridgeActivation),
    answers,
    errors: [...bodyErrors, ...storeErrors, "space_mismatch", "model_corrupt"],
  }),
  deactivate: describe({
    id: "deactivateBridge",
    tag,
    summary: "Stops using it for searches",
    answers,
    errors: storeErrors,
  }),
  rollback: describe({
    id: "rollbackBridge",
    tag,
    summary: "Returns to the previously active version",
    answers,
    errors: [...storeErrors, "space_mismatch", "model_corrupt"],
  }),
};

/** `/v1/bridges`: learn a bridge between two models, list, activate, roll back, delete. */
export function bridgesRoutes({ bridges, jobs, packs, store }: Services) {
  return new Hono()
    .use("/v1/bridges/*", async (c, next) => {
      if (c.req.method !== "GET") await store.open(); // as for heads
      await next();
    })
    .post("/v1/bridges", operations.learn, async (c) => {
      const body = await readJson(c, BridgeBody);
      const [from, to] = [packs.find(body.from, "text"), packs.find(body.to, "text")];
      if (from === to) {
        const message = `Expected two models but both are "${body.from}"`;
        throw invalidInput("to", message);
      }
      if (
        body.label_by !== undefined &&
        (body.from_collection === undefined || body.to_collection === undefined)
      ) {
        const message = 'Recall by "label_by" needs "from_collection" and "to_collection"';
        throw invalidInput("label_by", message);
      }
      for (const param of ["from_collection", "to_collection"] as const) {
        const collection = body[param];
        if (collection === undefined) continue;
        await store.stats(collection);
        if (body.label_by === undefined) continue;
        await checkLabelled(store, collection, body.label_by, {
          params: { collection: param, field: "label_by" },
        });
      }
      const name = body.name ?? `${from.manifest.id}-to-${to.manifest.id}`.slice(0, 64);
      await bridges.checkNew(name);
      const data: BridgeInput = {
        name,
        from: from.manifest.id,
        to: to.manifest.id,
        fromSpace: from.space,
        toSpace: to.space,
        method: body.method,
        texts: body.texts,
        fromCollection: body.from_collection,
        toCollection: body.to_collection,
        labelBy: body.label_by,
        seed: body.seed,
        epochs: body.epochs,
        activate: body.activate,
      };
      return c.json(
        { job: jobAnswer(await jobs.create("bridge", { data })) } satisfies JobStarted,
        202,
      );
    })
    .get("/v1/bridges", operations.list, (c) =>
      c.json({ data: bridges.list().map(bridgeAnswer) } satisfies BridgeList),
    )
    .get("/v1/bridges/:name", operations.get, (c) =>
      c.json(bridgeAnswer(bridges.get(c.req.param("name")))),
    )
    .delete("/v1/bridges/:name", operations.delete, async (c) => {
      const name = c.req.param("name");
      await bridges.remove(name);
      return c.json({ name, deleted: true } satisfies Deleted);
    })
    .post("/v1/bridges/:name/activate", operations.activate, async (c) => {
      const name = c.req.param("name");
      const { version } = await readJson(c, BridgeActivation);
      await bridges.activate(name, version);
      return c.json(bridgeAnswer(bridges.get(name)));
    })
    .post("/v1/bridges/:name/deactivate", operations.deactivate, async (c) => {
      const name = c.req.param("name");
      await bridges.deactivate(name);
      return c.json(bridgeAnswer(bridges.get(name)));
    })
    .post("/v1/bridges/:name/rollback", operations.rollback, async (c) => {
      const name = c.req.param("name");
      await bridges.rollback(name);
      return c.json(bridgeAnswer(bridges.get(name)));
    });
}

/** A bridge on the wire. */
function bridgeAnswer({ name, inUse, damage, versions }: ListedBridge): BridgeAnswer {
  const active = versions.find((version) => version.active);
  return {
    name,
    version: active?.version ?? null,
    from_space: active?.fromSpace ?? null,
    to_space: active?.toSpace ?? null,
    /** Whether searches use it. */
    active: inUse,
    ...(damage !== undefined && { error: damage }),
    versions: versions.map((version) => ({
      version: version.version,
      active: version.active,
      shipped: version.shipped,
      from_space: version.fromSpace ?? null,
      to_space: version.toSpace ?? null,
      method: version.method ?? null,
      unusable: version.unusable ?? null,
      report: version.report ?? null,
    })),
  };
}
