import { z } from "zod";
import { Deleted } from "../wire/common.js";
import {
  HeadActivation,
  HeadAnswer,
  HeadChanged,
  HeadImport,
  HeadImported,
  HeadList,
  HeadReport,
  HeadVersionDeleted,
} from "../wire/heads.js";
import { JobStarted } from "../wire/jobs.js";
import { TrainBody } from "../wire/training.js";
import {
  binary,
  bodyErrors,
  describe,
  inferenceErrors,
  json,
  jsonOrForm,
  storeErrors,
  text,
} from "./describe.js";

const tag = "Heads";
const file = "application/octet-stream";
const errors = [...storeErrors, "model_corrupt"] as const;

/** The OpenAPI descriptions of the routes in heads.ts. */
export const headOperations = {
  train: describe({
    id: "trainHead",
    tag,
    summary: "Trains a head on pairs, or makes a few-shot adapter from labelled items, as a job",
    description: "See docs/training.md.",
    body: jsonOrForm(TrainBody),
    answers: { 202: { content: json(JobStarted) } },
    errors: [...bodyErrors, ...inferenceErrors, ...errors],
  }),
  list: describe({
    id: "listHeads",
    tag,
    summary: "All heads, with their versions side by side",
    answers: { 200: { content: json(HeadList) } },
    errors,
  }),
  import: describe({
    id: "importHead",
    tag,
    summary: "Adds an exported version",
    query: z.object({ name: z.string().optional() }),
    body: { ...binary(file), "multipart/form-data": HeadImport },
    answers: { 201: { content: json(HeadImported) } },
    errors: [...bodyErrors, ...errors, "model_not_found", "already_exists", "space_mismatch"],
  }),
  get: describe({
    id: "getHead",
    tag,
    summary: "One head with the measures of each version",
    answers: { 200: { content: json(HeadAnswer) } },
    errors,
  }),
  delete: describe({
    id: "deleteHead",
    tag,
    summary: "Removes a head; with force even while a version is active",
    query: z.object({ force: z.enum(["true", "false"]).optional() }),
    answers: { 200: { content: json(Deleted) } },
    errors,
  }),
  activate: describe({
    id: "activateHead",
    tag,
    summary: "Uses a version from now on",
    description: "Collections that follow the head are projected again, by the jobs it answers.",
    body: json(HeadActivation),
    answers: { 200: { content: json(HeadChanged) } },
    errors: [...bodyErrors, ...errors],
  }),
  deactivate: describe({
    id: "deactivateHead",
    tag,
    summary: "Uses no version from now on; collections that follow the head stay unchanged",
    answers: { 200: { content: json(HeadAnswer) } },
    errors,
  }),
  rollback: describe({
    id: "rollbackHead",
    tag,
    summary: "Returns to the previously active version",
    answers: { 200: { content: json(HeadChanged) } },
    errors,
  }),
  deleteVersion: describe({
    id: "deleteHeadVersion",
    tag,
    summary: "Removes one version of a head",
    answers: { 200: { content: json(HeadVersionDeleted) } },
    errors,
  }),
  export: describe({
    id: "exportHead",
    tag,
    summary: "One version as a file for import",
    answers: { 200: { content: binary(file) } },
    errors,
  }),
  report: describe({
    id: "headReport",
    tag,
    summary: "The report of a version, as JSON or HTML",
    answers: { 200: { content: { ...json(HeadReport), ...text("text/html") } } },
    errors,
  }),
};
