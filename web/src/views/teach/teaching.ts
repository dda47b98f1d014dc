import { signal } from "@preact/signals";
import type { z } from "zod";
import { ApiError } from "../../../../src/client/client.js";
import type { TrainResult } from "../../../../src/wire/heads.js";
import { sentenceOf, server } from "../../server.js";
import { type Example, modality, model, usable } from "./state.js";

/** An example with its class, what the texts of the labels alone said, and what teaching says. */
export interface Judged {
  example: Example;
  label: number;
  before: number;
  /** By the others' probe; undefined for the only one of its class. */
  after: number | undefined;
}

export interface Taught {
  state: "working" | "done" | "failed";
  stage: string;
  progress: number;
  head: string;
  version?: number;
  labels: readonly string[];
  judged: readonly Judged[];
  seconds?: number;
  sentence: string;
}

export const taught = signal<Taught>();

/** Teaches the classes as a new version of a head, and finds out how good it will be. */
export async function teach(head: string): Promise<void> {
  const start = performance.now();
  const given = usable.peek();
  const labels = [...new Set(given.map(({ label }) => label))];
  const tell = (change: Partial<Taught>) => {
    taught.value = { ...taught.peek()!, ...change };
  };
  taught.value = {
    state: "working",
    stage: "sending",
    progress: 0,
    head,
    labels,
    judged: [],
    sentence: "",
  };
  try {
    const judging = judge(given, labels);
    const { job } = await server.peek().trainHead({
      kind: "probe",
      name: head,
      model: model.peek()!.id,
      items: {
        embeddings: given.map(({ embedding }) => [...embedding]),
        modality: modality.peek(),
      },
      labels: given.map(({ label }) => label),
    });
    for await (const { state, progress, detail, error, result } of server
      .peek()
      .jobEvents(job.id)) {
      tell({ progress, stage: String(detail?.stage ?? state) });
      if (state === "failed") throw new ApiError(error?.message ?? "It failed", { status: 500 });
      if (state === "succeeded") tell({ version: (result as z.infer<typeof TrainResult>).version });
      if (state === "cancelled") throw new Error("It was cancelled.");
    }
    const judged = await judging;
    tell({ state: "done", judged, seconds: (performance.now() - start) / 1000 });
  } catch (error) {
    tell({ state: "failed", sentence: sentenceOf(error) });
  }
}

async function judge(
  given: (typeof usable)["value"],
  labels: readonly string[],
): Promise<readonly Judged[]> {
  const embeddings = given.map(({ embedding }) => embedding);
  const classOf = given.map(({ label }) => labels.indexOf(label));
  const [texts, after] = await Promise.all([
    labelEmbeddings(labels),
    crossValidateInWorker({ embeddings, labels: classOf, classes: labels.length }),
  ]);
  return given.map(({ example, embedding }, i) => ({
    example,
    label: classOf[i],
    before: indexOfLargest(texts.map((text) => dot(text, embedding))),
    after: after[i],
  }));
}

/** What zero-shot compares with: each label in the model's templates, averaged. */
async function labelEmbeddings(labels: readonly string[]): Promise<Float64Array[]> {
  const { id, prompt_templates } = model.peek()!;
  const own = prompt_templates[modality.peek()!] ?? [];
  const templates = own.length === 0 ? ["{}"] : own;
  const input = labels.flatMap((label) => templates.map((one) => one.replaceAll("{}", label)));
  const { data } = await server.peek().embeddings({ input, model: id, modality: "text" });
  return labels.map((_, i) => {
    const rows = data.slice(i * templates.length, (i + 1) * templates.length);
    const sum = new Float64Array((rows[0].embedding as number[]).length);
    for (const { embedding } of rows)
      for (const [d, value] of (embedding as number[]).entries()) sum[d] += value;
    const norm = Math.sqrt(dot(sum, sum));
    return sum.map((value) => value / norm);
  });
}

function crossValidateInWorker(data: object): Promise<(number | undefined)[]> {
  const worker = new Worker(new URL("./cross-validation.worker.ts", import.meta.url), {
    type: "module",
  });
  return new Promise<(number | undefined)[]>((resolve, reject) => {
    worker.onmessage = ({ data: predicted }) => resolve(predicted);
    worker.onerror = () => reject(new Error("The examples could not be compared."));
    worker.postMessage(data);
  }).finally(() => worker.terminate());
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

const indexOfLargest = (values: readonly number[]) => values.indexOf(Math.max(...values));
