import { signal } from "@preact/signals";
import type { z } from "zod";
import type { TrainResult } from "../../../../src/wire/heads.js";
import type { ModelAnswer } from "../../../../src/wire/models.js";
import { followJob } from "../../follow-job.js";
import { sentenceOf, server } from "../../server.js";
import { persistently } from "../../status.js";
import { inWorker } from "./in-worker.js";
import type { TaughtModality } from "./state.js";

/** An example: a file of this tab, or an item of a collection. */
export interface LessonExample {
  id: number | string;
  name: string;
  /** Where it is seen or heard in full; of an item as far as that is kept. */
  url?: string;
  /** Of a text: what it says. */
  text?: string;
  /** The collection that it is an item of. */
  collection?: string;
}

export interface Lesson {
  /** That it is read from. */
  collection?: string;
  model: ModelAnswer;
  modality: TaughtModality;
  /** Embeddings are units of the model's own space. */
  examples: readonly { example: LessonExample; label: string; embedding: Float32Array }[];
}

/** An example with its class, what the texts of the labels alone said, and what teaching says. */
export interface Judged {
  example: LessonExample;
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
  collection?: string;
  modality: TaughtModality;
  version?: number;
  /** Versions that came between: another window taught the same name meanwhile. */
  between?: readonly number[];
  labels: readonly string[];
  judged: readonly Judged[];
  seconds?: number;
  sentence: string;
}

export const taught = signal<Taught>();

/** Closes the report of a version that was deleted. */
export function forgetVersion(head: string, version: number): void {
  const current = taught.peek();
  if (current?.head === head && current.version === version) taught.value = undefined;
}

/** Teaches the classes as a new version of a head, and finds out how good it will be. */
export async function teach(head: string, lesson: Lesson): Promise<void> {
  const start = performance.now();
  const { collection, examples, model, modality } = lesson;
  const labels = [...new Set(examples.map(({ label }) => label))];
  const update = (change: Partial<Taught>) => {
    taught.value = { ...taught.peek()!, ...change };
  };
  taught.value = {
    state: "working",
    stage: "sending",
    progress: 0,
    head,
    collection,
    modality,
    labels,
    judged: [],
    sentence: "",
  };
  try {
    const latestBefore = await latestVersion(head);
    const judging = judge(lesson, labels);
    judging.catch(() => undefined); // Awaited below, perhaps after the job has failed
    const { job } = await server.peek().trainHead({
      kind: "probe",
      name: head,
      model: model.id,
      items: {
        embeddings: examples.map(({ embedding }) => [...embedding]),
        modality,
      },
      labels: examples.map(({ label }) => label),
    });
    const { result } = await followJob(job.id, ({ state, progress, detail }) =>
      update({ progress, stage: String(detail?.stage ?? state) }),
    );
    const { version } = result as z.infer<typeof TrainResult>;
    const judged = await judging;
    const between = Array.from(
      { length: version - latestBefore - 1 },
      (_, i) => latestBefore + 1 + i,
    );
    const seconds = (performance.now() - start) / 1000;
    update({ state: "done", version, between, judged, seconds });
  } catch (error) {
    update({ state: "failed", sentence: sentenceOf(error) });
  }
}

/** 0 where there is none. */
async function latestVersion(head: string): Promise<number> {
  const { data } = await server.peek().listHeads();
  const versions = data.find(({ name }) => name === head)?.versions ?? [];
  return Math.max(0, ...versions.map(({ version }) => version));
}

async function judge(lesson: Lesson, labels: readonly string[]): Promise<readonly Judged[]> {
  const { examples } = lesson;
  const embeddings = examples.map(({ embedding }) => embedding);
  const classOf = examples.map(({ label }) => labels.indexOf(label));
  const [texts, after] = await Promise.all([
    labelEmbeddings(lesson, labels),
    inWorker("crossValidate", [{ embeddings, labels: classOf, classes: labels.length }]),
  ]);
  return examples.map(({ example, embedding }, i) => ({
    example,
    label: classOf[i],
    before: indexOfLargest(texts.map((text) => dot(text, embedding))),
    after: after[i]?.label,
  }));
}

/** What zero-shot compares with: each label in the model's templates, averaged. */
async function labelEmbeddings(
  { model: { id, prompt_templates }, modality }: Lesson,
  labels: readonly string[],
): Promise<Float64Array[]> {
  const modelTemplates = prompt_templates[modality] ?? [];
  const templates = modelTemplates.length === 0 ? ["{}"] : modelTemplates;
  const input = labels.flatMap((label) => templates.map((one) => one.replaceAll("{}", label)));
  const { data } = await persistently(() =>
    server.peek().embeddings({ input, model: id, modality: "text" }),
  );
  return labels.map((_, i) => {
    const rows = data.slice(i * templates.length, (i + 1) * templates.length);
    const sum = new Float64Array((rows[0].embedding as number[]).length);
    for (const { embedding } of rows)
      for (const [d, value] of (embedding as number[]).entries()) sum[d] += value;
    const norm = Math.sqrt(dot(sum, sum));
    return sum.map((value) => value / norm);
  });
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

const indexOfLargest = (values: readonly number[]) => values.indexOf(Math.max(...values));
