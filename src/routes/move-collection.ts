import { Hono } from "hono";
import type { MoveInput } from "../collections/move-job.js";
import { AppError, invalidInput } from "../errors.js";
import type { Services } from "../services.js";
import { JobStarted } from "../wire/jobs.js";
import { MoveBody } from "../wire/move.js";
import { specOf } from "./collections.js";
import { bodyErrors, describe, inferenceErrors, json, storeErrors } from "./describe.js";
import { jobAnswer } from "./job-answer.js";
import { readJson } from "./read-json.js";
import type { RequestVariables } from "./request-context.js";

const moveOperation = describe({
  id: "moveCollection",
  tag: "Collections",
  summary: "Embeds a collection again with another model, as a job, and then moves an alias",
  description:
    "From kept media and texts, files in the folders of the option sourceFolders, and URLs under " +
    "urlHosts. The old collection stays. docs/api.md says more.",
  body: json(MoveBody),
  answers: { 202: { content: json(JobStarted) } },
  errors: [...bodyErrors, ...storeErrors, ...inferenceErrors, "already_exists"],
});

/** `POST /v1/collections/{name}/move`: a collection for another model, as a job. */
export function moveCollectionRoute(services: Services) {
  const { store, jobs } = services;
  return new Hono<RequestVariables>().post(
    "/v1/collections/:name/move",
    moveOperation,
    async (c) => {
      const name = c.req.param("name");
      const {
        into,
        model,
        head,
        alias: requestedAlias,
        allow_missing,
      } = await readJson(c, MoveBody);
      const stats = await store.stats(name);
      const { previews, keepMedia } = stats.options;
      const { fields } = stats;
      const spec = await specOf(
        {
          ...{ name: into, model, head, fields },
          previews: previews === true,
          keep_media: keepMedia === true,
        },
        services,
      );
      const collections = await store.listCollections();
      if (collections.some((one) => one.name === into || one.aliases.includes(into)))
        throw new AppError("already_exists", `There is a collection "${into}" already`, {
          param: "into",
        });
      const alias = requestedAlias ?? (name === stats.name ? undefined : name);
      if (alias === into || collections.some((one) => one.name === alias)) {
        const message = `Expected the name of an alias, but "${alias}" is a collection's own`;
        throw invalidInput("alias", message);
      }
      const data: MoveInput = {
        collection: stats.name,
        into: spec,
        alias,
        allowMissing: allow_missing,
      };
      const job = await jobs.create("move", { data });
      return c.json({ job: jobAnswer(job) } satisfies JobStarted, 202);
    },
  );
}
