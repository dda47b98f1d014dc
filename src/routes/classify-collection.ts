import { Hono } from "hono";
import type { ClassifyInput } from "../collections/classify-job.js";
import type { Modality } from "../encoders/encoder.js";
import { invalidInput } from "../errors.js";
import { fieldPath } from "../index/filter.js";
import type { CollectionStats } from "../index/vector-store.js";
import { planLabels } from "../inference/label-plan.js";
import { answererOfCollection } from "../inference/stored-answerer.js";
import type { Services } from "../services.js";
import { ClassifyBody } from "../wire/classify.js";
import { JobStarted } from "../wire/jobs.js";
import { bodyErrors, describe, inferenceErrors, json, storeErrors } from "./describe.js";
import { jobAnswer } from "./job-answer.js";
import { labelQueryOf } from "./label-sets.js";
import { readJson } from "./read-json.js";
import type { RequestVariables } from "./request-context.js";

const classifyOperation = describe({
  id: "classifyCollection",
  tag: "Collections",
  summary: "Tags stored items with labels, as a job; nothing is uploaded or embedded again",
  description:
    "Writes {labels, scores, by} into a field of each item's metadata. docs/tagging.md says more.",
  body: json(ClassifyBody),
  answers: { 202: { content: json(JobStarted) } },
  errors: [...bodyErrors, ...storeErrors, ...inferenceErrors],
});

/** `POST /v1/collections/{name}/classify`: labels of stored items, as a job. */
export function classifyCollectionRoute(services: Services) {
  const { store, jobs, labelSets, packs } = services;
  return new Hono<RequestVariables>().post(
    "/v1/collections/:name/classify",
    classifyOperation,
    async (c) => {
      const name = c.req.param("name");
      const body = await readJson(c, ClassifyBody);
      const { model, head, threshold, calibration, filter, modality, field } = body;
      fieldPath(field, "field");
      const query = {
        ...(await labelQueryOf(body, labelSets)),
        ...{ head, threshold, calibration },
        model: model && packs.resolve(model), // an alias may be another's when the job begins
        falseAlarmRate: body.reject?.false_alarm_rate,
      };
      const stats = await store.stats(name);
      const answerer = await answererOfCollection(services, query, stats);
      // Errors in the labels are reported now, not by a failed job.
      const kind = modality ?? mostFrequent(stats.countByModality);
      const plan = await planLabels(services, answerer, query, { modality: kind });
      const { thresholds } = plan.options;
      const isBounded =
        threshold !== undefined ||
        body.reject !== undefined ||
        plan.labels.every((label) => thresholds?.has(label));
      if (query.multiLabel && !isBounded && body.top_k === undefined) {
        const message =
          'Expected "threshold", a threshold for each label, "reject" or "top_k" with ' +
          '"multi_label": ' +
          "otherwise every item would get every label";
        throw invalidInput("threshold", message);
      }
      const topK = body.top_k ?? (query.multiLabel ? undefined : 1);
      const data: ClassifyInput = {
        collection: stats.name,
        field,
        query: { ...query, topK },
        filter,
        modality,
      };
      const job = await jobs.create("classify", { data });
      return c.json({ job: jobAnswer(job) } satisfies JobStarted, 202);
    },
  );
}

function mostFrequent(counts: CollectionStats["countByModality"]): Modality {
  const sorted = Object.entries(counts).sort(([, one], [, other]) => other - one);
  return (sorted[0]?.[0] as Modality | undefined) ?? "image";
}
