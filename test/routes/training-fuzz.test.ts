import fc from "fast-check";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { z } from "zod";
import type { App } from "../../src/app.js";
import type { Job } from "../../src/jobs/job.js";
import { seededRandom } from "../../src/math/random.js";
import type { Services } from "../../src/services.js";
import { lossNames } from "../../src/training/losses/loss.js";
import { TrainBody } from "../../src/wire/training.js";
import type { WorkerHandle } from "../../src/workers/start-worker.js";
import { fakeApp } from "../helpers/fake-app.js";
import { fakePack } from "../helpers/fake-packs.js";
import { type Schema, schemaValues } from "../helpers/schema-values.js";
import { jsonPost } from "../helpers/services.js";

// Whatever a client sends ends in a result or in an error that names a field: never in `internal`.
// The work is done in this thread, and by the plain stepper, so that hundreds of jobs take a
// minute.

vi.mock("../../src/workers/start-worker.js", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../src/workers/start-worker.js")>();
  const { trainingTasks } = await import("../../src/training/training-tasks.js");
  const { cancellationOf } = await import("../../src/training/cancellation.js");
  type Task = (task: unknown, report: () => void) => unknown;
  const startWorker: typeof original.startWorker = (file, data) => {
    if (!file.pathname.endsWith("/training-worker.js")) return original.startWorker(file, data);
    const tasks = trainingTasks(
      cancellationOf(data as Parameters<typeof cancellationOf>[0]),
    ) as unknown as Record<string, Task>;
    const call = async (method: string, task: unknown) => tasks[method](task, () => undefined);
    return { call, close: async () => undefined } as unknown as WorkerHandle;
  };
  return { ...original, startWorker };
});
vi.mock("../../src/training/graph-stepper.js", async () => {
  const { plainStepper } = await import("../../src/training/plain-stepper.js");
  return {
    openGraphStepper: async (...given: Parameters<typeof plainStepper>) => plainStepper(...given),
  };
});
vi.setConfig({ testTimeout: 120_000 });

const dimensions = 4;
let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await fakeApp([fakePack("eye", dimensions), fakePack("ear", 5)]));
});
afterAll(() => services.close());

const runs = (numRuns: number) => ({ numRuns, seed: 20_261_127, interruptAfterTimeLimit: 45_000 });

/** Sends a body and waits for its job. @returns the error of either, if any. */
async function outcome(path: string, body: unknown) {
  const response = await app.request(path, jsonPost(body));
  // biome-ignore lint/suspicious/noExplicitAny: an answer or an error
  const answer = (await response.json()) as any;
  const shown = JSON.stringify(body)?.slice(0, 2000);
  expect(response.status, `${JSON.stringify(answer)} to ${shown}`).toBeLessThan(500);
  if (response.status !== 202) return { answer, error: answer.error };
  const job = await ended(answer.job.id);
  expect(["succeeded", "failed"]).toContain(job.state);
  if (job.error) {
    const codes = ["invalid_input", "too_large", "undecodable_media", "not_found", "conflict"];
    expect(codes, `${JSON.stringify(job.error)} to ${shown}`).toContain(job.error.code);
    if (job.error.code === "invalid_input") expect(job.error.param).toBeTruthy();
  }
  return { answer, job, error: job.error };
}

function ended(id: string): Promise<Job> {
  return new Promise((resolve) => {
    const look = (job: Job) => {
      if (["succeeded", "failed", "cancelled"].includes(job.state)) resolve(job);
    };
    services.jobs.watch(id, look);
    look(services.jobs.get(id));
  });
}

/**
 * Rows as clients send them: random, all alike, in two groups, of zeros, of numbers that overflow.
 */
const rows = (count: number, width = dimensions): fc.Arbitrary<number[][]> =>
  fc.nat().chain((seed) => {
    const random = seededRandom(seed);
    const row = () => Array.from({ length: width }, () => random.normal());
    const made = (length: number, of: (i: number) => number[]) =>
      Array.from({ length }, (_, i) => of(i));
    const all = made(count, row);
    const one = seed % count;
    const but = (value: number) => all.map((x, i) => (i === one ? x.map(() => value) : x));
    return fc.oneof(
      { weight: 12, arbitrary: fc.constant(all) },
      { weight: 1, arbitrary: fc.constant(made(count, () => all[0])) },
      { weight: 1, arbitrary: fc.constant(made(count, (i) => all[i % 2])) },
      {
        weight: 1,
        arbitrary: fc.constant(all.map((x, i) => (i % 2 === 0 ? x : x.map((y) => -y)))),
      },
      { weight: 1, arbitrary: fc.constantFrom(0, 1e39).map(but) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom(1e-40, 1e38)
          .map((size) => all.map((x) => x.map((y) => y * size))),
      },
      { weight: 1, arbitrary: fc.constant(all.concat([row()])) },
    );
  });

const labels = (count: number) =>
  fc.oneof(
    fc.array(fc.constantFrom("x", "y", "z"), { minLength: count, maxLength: count }),
    fc.constant(Array.from({ length: count }, (_, i) => (i === 3 ? "y" : "x"))),
    fc.constant(Array<string>(count).fill("x")),
  );

const texts = ["eye", "h", "image", "=1"];
const valuesOf = (schema: Schema) => schemaValues(schema, { texts, maxLength: 20 });
const schema = z.toJSONSchema(TrainBody, { unrepresentable: "any", io: "input" });
/** Up to three fields of the request as its schema has them, kept small enough to be quick. */
const someFields = fc
  .subarray(Object.entries(schema.properties ?? {}), { maxLength: 3 })
  .chain((fields) =>
    fc.record(Object.fromEntries(fields.map(([name, one]) => [name, valuesOf(one as Schema)]))),
  )
  .map((fields: Record<string, unknown>) => JSON.parse(JSON.stringify(fields, small)));
const small = (key: string, value: unknown) =>
  (key === "epochs" || key === "hidden") && typeof value === "number" && value > 3 ? 3 : value;

const anyFields = fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, someFields);

let next = 0;
const nameOf = () => `h${next++}`;

it("training ends in a head or names a field, whatever the pairs and options are", async () => {
  const body = fc.integer({ min: 7, max: 24 }).chain((count) =>
    fc.record(
      {
        a: rows(count),
        b: rows(count),
        loss: fc.constantFrom(...lossNames),
        batch_size: fc.integer({ min: 2, max: 9 }),
        learning_rate: fc.constantFrom(1e-3, 0.1, 1),
        weight_decay: fc.constantFrom(0, 0.1, 100),
        mixup: fc.constantFrom(0, 0.3, 1e-9),
        head: fc.constantFrom(
          "linear",
          "mlp",
          "residual",
          { a: "locked" },
          { kind: "residual", ratio: 1, hidden: 1 },
        ),
        labels: labels(count),
        features: fc.oneof(rows(count, 1), fc.constant(Array(count).fill([1]))),
        third: rows(count),
        screen: fc.constantFrom(true, { exclude: true }),
        seed: fc.integer({ min: 0, max: 9 }),
        validation_share: fc.constantFrom(0, 0.5),
      },
      { requiredKeys: ["a", "b", "loss"] },
    ),
  );
  let trained = 0;
  const property = fc.asyncProperty(body, anyFields, async (given, fields) => {
    const { a, b, ...options } = given;
    const name = nameOf();
    const pairs = { embeddings: { a, b } };
    const request = { model: "eye", pairs, epochs: 2, ...options, name, ...fields };
    const { job } = await outcome("/v1/heads", request);
    if (job?.state !== "succeeded") return;
    trained++;
    const { head, version } = job.result as { head: string; version: number };
    await services.heads.use(head, version); // what is kept can be read again
  });
  await fc.assert(property, runs(300));
  expect(trained).toBeGreaterThan(30);
});

it("few-shot ends in a head whose scores are finite, or names a field", async () => {
  const body = fc.integer({ min: 2, max: 12 }).chain((count) =>
    fc.record(
      {
        kind: fc.constantFrom("cache", "probe"),
        items: fc.oneof(
          rows(count).map((embeddings) => ({ embeddings })),
          fc.array(
            fc.record({
              text: fc.constantFrom("=1", "=2", "a cat", "a dog"),
              label: fc.constantFrom("x", "y"),
            }),
            { minLength: count, maxLength: count },
          ),
        ),
        labels: labels(count),
        l2: fc.constantFrom(1e-300, 1e-3, 100),
      },
      { requiredKeys: ["kind", "items"] },
    ),
  );
  let fitted = 0;
  const property = fc.asyncProperty(body, anyFields, async (given, fields) => {
    const request = { model: "eye", ...given, name: nameOf(), ...fields };
    const { job } = await outcome("/v1/heads", request);
    const result = job?.result as { head: string; activated?: boolean } | undefined;
    if (job?.state !== "succeeded" || result?.activated !== true) return;
    fitted++;
    const ask = { text: "a cat", head: result.head, candidate_labels: ["x", "y"] };
    const answer = await app.request("/v1/zero-shot", jsonPost(ask));
    const { scores = [] } = (await answer.json()) as { scores?: { score: unknown }[] };
    for (const { score } of scores) expect(Number.isFinite(score)).toBe(true);
  });
  await fc.assert(property, runs(150));
  expect(fitted).toBeGreaterThan(20);
});

it("a bridge is learned or its field is named, whatever the texts are", async () => {
  const text = fc.oneof(
    { weight: 5, arbitrary: fc.string({ minLength: 1, maxLength: 8 }) },
    { weight: 1, arbitrary: fc.constantFrom("=1", "=2", " ", "\0") },
  );
  const texts = fc.oneof(
    { weight: 3, arbitrary: fc.array(text, { minLength: 16, maxLength: 24 }) },
    fc.array(fc.constantFrom("=1", "=2"), { minLength: 16, maxLength: 16 }),
    fc.array(fc.constantFrom("=1", "a"), { minLength: 16, maxLength: 16 }),
    fc.array(text, { maxLength: 3 }),
  );
  const body = fc.record(
    {
      texts,
      method: fc.constantFrom("ridge", "procrustes", "c-mcr"),
      seed: fc.integer({ min: 0, max: 9 }),
      epochs: fc.constantFrom(1, 1, 2, 3, 0),
      activate: fc.constantFrom("never", "if_improved", "always"),
    },
    { requiredKeys: ["texts", "method", "epochs"] },
  );
  let learned = 0;
  const property = fc.asyncProperty(body, async (given) => {
    const request = { from: "ear", to: "eye", name: nameOf(), ...given };
    const { job } = await outcome("/v1/bridges", request);
    if (job?.state === "succeeded") learned++;
  });
  await fc.assert(property, runs(100));
  expect(learned).toBeGreaterThan(10);
});

it("a gap report has figures within their bounds, or names a field", async () => {
  const side = fc.integer({ min: 3, max: 12 }).chain((count) => rows(count));
  const body = fc.record(
    {
      a: side.map((embeddings) => ({ embeddings })),
      b: side.map((embeddings) => ({ embeddings })),
      paired: fc.boolean(),
      seed: fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.double()),
    },
    { requiredKeys: ["a", "b"] },
  );
  let measured = 0;
  const within = (value: number | null, low: number, high: number) => {
    if (value === null) return;
    expect(value).toBeGreaterThanOrEqual(low);
    expect(value).toBeLessThanOrEqual(high);
  };
  const property = fc.asyncProperty(body, async (given) => {
    const { answer, error } = await outcome("/v1/modality-gap", given);
    if (error) {
      expect(error).toMatchObject({ code: "invalid_input", param: expect.any(String) });
      return;
    }
    measured++;
    within(answer.relative_modality_gap, 0, 1);
    within(answer.centered.relative_modality_gap, 0, 1);
    within(answer.alignment, 0, 4 + 1e-6);
    within(answer.centroid_gap, 0, 2 + 1e-6);
    for (const name of ["a", "b"]) {
      within(answer.mean_cosine[name], -1 - 1e-6, 1);
      within(answer.uniformity[name], -8 - 1e-6, 0);
    }
    within(answer.linear_separability.held_out, 0, 1);
  });
  await fc.assert(property, runs(150));
  expect(measured).toBeGreaterThan(20);
});
