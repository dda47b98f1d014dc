import { Hono } from "hono";
import { type CalibrateInput, packOf } from "../calibrations/calibrate-job.js";
import { labelsOf } from "../calibrations/calibration.js";
import type { ListedCalibration } from "../calibrations/calibration-store.js";
import { checkLabelled } from "../heads/collection-pairs.js";
import type { Services } from "../services.js";
import {
  CalibrationActivation,
  CalibrationAnswer,
  CalibrationBody,
  CalibrationList,
} from "../wire/calibrations.js";
import { Deleted } from "../wire/common.js";
import { JobStarted } from "../wire/jobs.js";
import { bodyErrors, describe, json, storeErrors } from "./describe.js";
import { jobAnswer } from "./job-answer.js";
import { readJson } from "./read-json.js";

const tag = "Calibrations";
const answers = { 200: { content: json(CalibrationAnswer) } };
const operations = {
  make: describe({
    id: "calibrate",
    tag,
    summary:
      "Creates a calibration (background and probabilities) from a collection's items, as a job",
    description: "See docs/tagging.md.",
    body: json(CalibrationBody),
    answers: { 202: { content: json(JobStarted) } },
    errors: [...bodyErrors, ...storeErrors, "model_not_found", "space_mismatch", "no_path"],
  }),
  list: describe({
    id: "listCalibrations",
    tag,
    summary: "All calibrations",
    answers: { 200: { content: json(CalibrationList) } },
    errors: storeErrors,
  }),
  get: describe({
    id: "getCalibration",
    tag,
    summary: "One calibration with the measures of each version",
    answers,
    errors: storeErrors,
  }),
  activate: describe({
    id: "activateCalibration",
    tag,
    summary: "Uses a version from now on",
    body: json(CalibrationActivation),
    answers,
    errors: [...bodyErrors, ...storeErrors],
  }),
  delete: describe({
    id: "deleteCalibration",
    tag,
    summary: "Removes a calibration with its versions",
    answers: { 200: { content: json(Deleted) } },
    errors: storeErrors,
  }),
};

/** `/v1/calibrations`: create from a collection, list, activate, delete. */
export function calibrationsRoutes(services: Services) {
  const { calibrations, jobs, store } = services;
  return new Hono()
    .use("/v1/calibrations/*", async (c, next) => {
      if (c.req.method !== "GET") await store.open(); // as for heads
      await next();
    })
    .post("/v1/calibrations", operations.make, async (c) => {
      const body = await readJson(c, CalibrationBody);
      await calibrations.checkNew(body.name);
      const data: CalibrateInput = body;
      await packOf(services, body.collection, body.modality);
      if (body.by !== undefined)
        await checkLabelled(store, body.collection, body.by, {
          params: { collection: "collection", field: "by" },
        });
      const job = await jobs.create("calibrate", { data });
      return c.json({ job: jobAnswer(job) } satisfies JobStarted, 202);
    })
    .get("/v1/calibrations", operations.list, async (c) =>
      c.json({
        data: (await calibrations.list()).map(calibrationAnswer),
      } satisfies CalibrationList),
    )
    .get("/v1/calibrations/:name", operations.get, async (c) =>
      c.json(calibrationAnswer(await calibrations.get(c.req.param("name")))),
    )
    .post("/v1/calibrations/:name/activate", operations.activate, async (c) => {
      const name = c.req.param("name");
      const { version } = await readJson(c, CalibrationActivation);
      await calibrations.activate(name, version);
      return c.json(calibrationAnswer(await calibrations.get(name)));
    })
    .delete("/v1/calibrations/:name", operations.delete, async (c) => {
      const name = c.req.param("name");
      await calibrations.remove(name);
      return c.json({ name, deleted: true } satisfies Deleted);
    });
}

function calibrationAnswer(listed: ListedCalibration): CalibrationAnswer {
  const { name, active, damage, versions } = listed;
  return {
    name,
    version: active ?? null,
    ...(damage !== undefined && { error: damage }),
    versions: versions.map((one) => {
      const { version } = one;
      if ("unusable" in one) return { version, active: version === active, error: one.unusable };
      return {
        version,
        active: version === active,
        model: one.model,
        space: one.space,
        modality: one.modality,
        collection: one.collection,
        by: one.by ?? null,
        created_at: one.createdAt,
        items: one.items,
        background: one.backgroundLabels.length,
        labels: labelsOf(one),
        probabilities: one.logistic !== undefined,
        report: one.report,
      };
    }),
  };
}
