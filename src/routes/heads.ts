import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { AppError, invalidInput } from "../errors.js";
import { checkImported } from "../heads/check-imported.js";
import { headModel } from "../heads/head-model.js";
import type { ListedHead, ListedVersion } from "../heads/head-records.js";
import { type FewShotReport, headedModalities, verdictOfHead } from "../heads/head-version.js";
import { reportPage } from "../reports/report-page.js";
import type { Services } from "../services.js";
import type { Deleted } from "../wire/common.js";
import {
  HeadActivation,
  type HeadAnswer,
  type HeadChanged,
  HeadImport,
  type HeadImported,
  type HeadList,
  type HeadReport,
  type HeadVersionAnswer,
  type HeadVersionDeleted,
} from "../wire/heads.js";
import type { JobStarted } from "../wire/jobs.js";
import { parseWith } from "../wire/parse-with.js";
import { TrainBody, trainJsonFields } from "../wire/training.js";
import { headOperations as operations } from "./head-operations.js";
import { jobAnswer } from "./job-answer.js";
import { readBody } from "./read-body.js";
import { contentTypeOf, readJson } from "./read-json.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";
import { snakeCase } from "./snake-case.js";
import { trainRequest } from "./train-request.js";

/** `/v1/heads`: train, list side by side, activate, roll back, delete; export and import. */
export function headsRoutes(services: Services) {
  const { heads, jobs, store } = services;
  return new Hono<RequestVariables>()
    .use("/v1/heads/*", async (c, next) => {
      // Changes need the data folder: a server that has it would not notice another process's
      // changes.
      if (c.req.method !== "GET") await store.open();
      await next();
    })
    .post("/v1/heads", operations.train, async (c) => {
      const body = await readRequest(c, TrainBody, { json: trainJsonFields });
      const { kind, name, model, input } = await trainRequest(body, services, c.get("signal"));
      heads.checkFits(name, { model, kind: body.kind });
      return c.json({ job: jobAnswer(await jobs.create(kind, input)) } satisfies JobStarted, 202);
    })
    .get("/v1/heads", operations.list, (c) =>
      c.json({ data: heads.list().map(headAnswer) } satisfies HeadList),
    )
    .post("/v1/heads/import", operations.import, async (c) => {
      const { name, version } = await importHead(c, services);
      return c.json(
        { ...headAnswer(heads.get(name)), imported_version: version } satisfies HeadImported,
        201,
      );
    })
    .get("/v1/heads/:name", operations.get, (c) =>
      c.json(headAnswer(heads.get(c.req.param("name")))),
    )
    .delete("/v1/heads/:name", operations.delete, async (c) => {
      const name = c.req.param("name");
      await heads.remove(name, { force: c.req.query("force") === "true" });
      return c.json({ name, deleted: true } satisfies Deleted);
    })
    .post("/v1/heads/:name/activate", operations.activate, async (c) => {
      const name = c.req.param("name");
      const { version, force } = await readJson(c, HeadActivation);
      const ids = await heads.activate(name, version, { force });
      return c.json({
        ...headAnswer(heads.get(name)),
        jobs: ids.map((id) => ({ id })),
      } satisfies HeadChanged);
    })
    .post("/v1/heads/:name/deactivate", operations.deactivate, async (c) => {
      const name = c.req.param("name");
      await heads.deactivate(name);
      return c.json(headAnswer(heads.get(name)));
    })
    .post("/v1/heads/:name/rollback", operations.rollback, async (c) => {
      const name = c.req.param("name");
      const ids = await heads.rollback(name);
      return c.json({
        ...headAnswer(heads.get(name)),
        jobs: ids.map((id) => ({ id })),
      } satisfies HeadChanged);
    })
    .delete("/v1/heads/:name/versions/:version", operations.deleteVersion, async (c) => {
      const name = c.req.param("name");
      const version = versionOf(c.req.param("version"));
      await heads.removeVersion(name, version);
      return c.json({ name, version, deleted: true } satisfies HeadVersionDeleted);
    })
    .get("/v1/heads/:name/versions/:version/export", operations.export, async (c) => {
      const name = c.req.param("name");
      const version = versionOf(c.req.param("version"));
      const bytes = await heads.export(name, version);
      c.header("content-disposition", `attachment; filename="${name}-${version}.head.safetensors"`);
      return c.body(new Uint8Array(bytes), 200, { "content-type": "application/octet-stream" });
    })
    .get("/v1/heads/:name/versions/:version/report", operations.report, async (c) => {
      const name = c.req.param("name");
      const version = versionOf(c.req.param("version"));
      const { report } = await heads.use(name, version);
      const supports =
        "verdict" in report ? ["application/json", "text/html"] : ["application/json"];
      const type = accepts(c, { header: "Accept", supports, default: "application/json" });
      if (type === "text/html" && "verdict" in report) {
        // The report may have been imported with its head: nothing in it may run.
        c.header(
          "content-security-policy",
          "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        );
        return c.html(reportPage(report, `${name}, version ${version}`));
      }
      return c.json(snakeCase(report) satisfies HeadReport);
    });
}

function versionOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw invalidInput("version", `Expected a version number but received "${text.slice(0, 40)}"`);
}

/** The file as the body itself with `?name=`, or in a form. */
async function importHead(
  c: Context,
  { heads, packs, config }: Pick<Services, "heads" | "packs" | "config">,
) {
  const isForm = contentTypeOf(c)?.value === "multipart/form-data";
  const upload = isForm
    ? await readRequest(c, HeadImport)
    : parseWith(HeadImport, {
        file: await readBody(c),
        name: c.req.query("name"),
      });
  try {
    return await heads.import(upload.file, upload.name, async (version, weights) => {
      const model = await headModel({ packs, config }, version.model);
      checkImported(version, weights, { model, maxLabels: config.maxLabels });
    });
  } catch (error) {
    // On import, a damaged file is the sender's error.
    if (!(error instanceof AppError && error.code === "model_corrupt")) throw error;
    throw invalidInput("file", error.message, error);
  }
}

/** A head on the wire: its versions side by side, with the measures of each. */
function headAnswer({ name, model, activeVersion, damage, versions }: ListedHead): HeadAnswer {
  const active = versions.find((version) => version.active);
  return {
    name,
    model: model ?? null,
    version: activeVersion ?? null,
    space: active !== undefined && "space" in active ? active.space : null,
    active: activeVersion !== undefined,
    ...(damage !== undefined && { error: damage }),
    versions: versions.map(versionAnswer),
  };
}

const adapterFigures = ({ heldOut, ...report }: FewShotReport) => ({
  ...report,
  ...(heldOut && { held_out: heldOut }),
});

function versionAnswer(listed: ListedVersion): HeadVersionAnswer {
  const { version, active } = listed;
  if ("unusable" in listed) return { version, active, error: listed.unusable };
  const { kind, space, fromSpace, dimensions, createdAt, lineage, report } = listed;
  const measured =
    "measures" in report
      ? { measures: report.measures, forgetting: report.forgetting }
      : adapterFigures(report);
  return {
    version,
    active,
    kind,
    modalities: headedModalities(listed),
    from_space: fromSpace,
    space,
    dimensions,
    created_at: createdAt,
    lineage: { data: lineage.data, seed: lineage.seed ?? null, parent: lineage.parent ?? null },
    ...("options" in report && { loss: report.options.loss, pairs: report.data.pairs }),
    verdict: verdictOfHead(listed) ?? null,
    ...measured,
  };
}
