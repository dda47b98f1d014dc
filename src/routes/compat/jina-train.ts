import { randomUUID } from "node:crypto";
import { z } from "zod";
import { AppError, invalidInput } from "../../errors.js";
import type { ListedHead } from "../../heads/head-records.js";
import { hasEnded, type Job } from "../../jobs/job.js";
import type { Jobs } from "../../jobs/jobs.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/field-types.js";
import { parseBody } from "../../wire/parse-with.js";
import { TrainBody } from "../../wire/training.js";
import { trainRequest } from "../train-request.js";
import { foreignBody } from "./foreign-body.js";
import type { ForeignContext } from "./shape.js";

const Example = z.union([
  z.strictObject({ id: optional(z.string()), text: z.string().min(1), label: z.string().min(1) }),
  z.strictObject({ id: optional(z.string()), image: z.string().min(1), label: z.string().min(1) }),
  // Ours: sounds
  z.strictObject({ id: optional(z.string()), audio: z.string().min(1), label: z.string().min(1) }),
]);
export const TrainExamples = z.strictObject({
  model: optional(z.string()),
  classifier_id: optional(z.string().min(1)),
  /** All keys of a server see all of its classifiers. */
  access: optional(z.literal("private")),
  input: z.union([Example, listOf(Example, { min: 1, max: 100_000 })]),
  /** For their method; ours has a closed form. */
  num_iters: optional(z.int().positive()),
});

export const TrainAnswer = z.object({
  classifier_id: z.string(),
  num_samples: z.int(),
  usage: z.object({ total_tokens: z.int() }),
});
export const Classifier = z.object({
  classifier_id: z.string(),
  model: z.string(),
  labels: z.array(z.string()),
  access: z.literal("private"),
  is_active: z.literal(true),
  is_latest: z.literal(true),
  updated_number: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
  metadata_: z.object({}),
});
export const Deleted = z.object({ classifier_id: z.string(), deleted: z.literal(true) });

/** `POST /v1/train`: a cache adapter from examples, as a head with a name of its own. */
export async function train(services: Services, c: ForeignContext): Promise<Response> {
  const { model, classifier_id: id, input } = await foreignBody(c, TrainExamples);
  const { jobs, heads, store } = services;
  if (id !== undefined) {
    classifierOf(services, id);
    const message =
      "A classifier is trained once: train a new one from the earlier examples and these together";
    throw invalidInput("classifier_id", message);
  }
  const examples = Array.isArray(input) ? input : [input];
  const name = randomUUID();
  const items = examples.map(({ id: _, ...example }) => example);
  const body = await parseBody(TrainBody, { kind: "cache", name, model, items });
  const signal = c.get("signal");
  const training = await trainRequest(body, services, signal).catch((error) => {
    throw error instanceof AppError ? withJinaNames(error) : error;
  });
  await store.open();
  heads.checkFits(name, { model: training.model, kind: "cache" });
  const { id: job } = await jobs.create(training.kind, training.input);
  const { state, error } = await endOf(jobs, job, signal);
  if (state !== "succeeded") {
    if (error === undefined) throw new AppError("unavailable", `The training ${state}`);
    if (error.code === "internal") throw new Error(`job ${job} failed`);
    throw withJinaNames(new AppError(error.code, error.message, { param: error.param }));
  }
  const usage = { total_tokens: 0 };
  return c.json({ classifier_id: name, num_samples: examples.length, usage });
}

/** `GET /v1/classifiers` */
export function listClassifiers({ heads }: Services, c: ForeignContext): Response {
  return c.json(heads.list().flatMap((head) => classifierAnswer(head) ?? []));
}

/** `GET /v1/classifiers/{id}` */
export function getClassifier(services: Services, c: ForeignContext): Response {
  return c.json(classifierOf(services, c.req.param("id") ?? ""));
}

/** `DELETE /v1/classifiers/{id}` */
export async function deleteClassifier(services: Services, c: ForeignContext): Promise<Response> {
  const { classifier_id: id } = classifierOf(services, c.req.param("id") ?? "");
  await services.store.open();
  await services.heads.remove(id, { force: true }); // it is active
  return c.json({ classifier_id: id, deleted: true });
}

function classifierOf({ heads }: Services, id: string) {
  const head = heads.list().find(({ name }) => name === id);
  const found = head && classifierAnswer(head);
  if (found !== undefined) return found;
  throw new AppError("not_found", `There is no classifier "${id}"`, { param: "classifier_id" });
}

/** Undefined for a head that is not a classifier. */
function classifierAnswer({ name, versions, activeVersion }: ListedHead) {
  const active = versions.find(({ version }) => version === activeVersion);
  if (active === undefined || "unusable" in active || !("labels" in active.report))
    return undefined;
  return {
    classifier_id: name,
    model: active.model,
    labels: active.report.labels,
    access: "private",
    is_active: true,
    is_latest: true,
    updated_number: active.version,
    created_at: active.createdAt,
    updated_at: active.createdAt,
    metadata_: {},
  };
}

/** What our route calls `items` is `input` there. */
function withJinaNames(error: AppError): AppError {
  const { code, message, param, cause, retryAfterSeconds } = error;
  const renamed = param?.replace(/^items/, "input");
  const words = message.replaceAll('"items', '"input');
  return new AppError(code, words, { param: renamed, cause, retryAfterSeconds });
}

/** A job whose client is gone is cancelled. */
function endOf(jobs: Jobs, id: string, signal: AbortSignal): Promise<Job> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      unwatch();
      jobs.cancel(id).catch(() => undefined); // it may have ended already
      reject(signal.reason);
    };
    const resolveIfEnded = (job: Job) => {
      if (!hasEnded(job)) return;
      unwatch();
      signal.removeEventListener("abort", onAbort);
      resolve(job);
    };
    const unwatch = jobs.watch(id, resolveIfEnded);
    signal.addEventListener("abort", onAbort, { once: true });
    resolveIfEnded(jobs.get(id));
  });
}
