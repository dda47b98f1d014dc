import type { Modality } from "../encoders/encoder.js";
import { invalidInput } from "../errors.js";
import { checkLabelled } from "../heads/collection-pairs.js";
import type { FewShotInput } from "../heads/few-shot-job.js";
import type { TrainInput } from "../heads/train-job.js";
import { mediaModality, npyOf } from "../heads/training-source.js";
import type { JobInput } from "../jobs/job-store.js";
import type { Rows } from "../math/rows.js";
import type { Services } from "../services.js";
import { checkOptions, checkRequest, type TrainingOptions } from "../training/training-request.js";
import type { TrainBody } from "../wire/training.js";
import { type Columns, type Entry, readColumns } from "./read-columns.js";
import { readRows } from "./read-rows.js";
import { checkLabels, embeddings, fromBody, fromColumns } from "./train-material.js";

export interface TrainJob {
  kind: "train" | "few-shot";
  /** Of the head. */
  name: string;
  model: string;
  input: JobInput;
}

type Needs = Pick<Services, "packs" | "fetchMedia" | "store">;

/**
 * A body of `POST /v1/heads` -> the job it asks for. Everything that can be checked without the
 * model is checked here, so that a bad field is reported at once and not by a failed job.
 */
export async function trainRequest(
  body: TrainBody,
  { packs, fetchMedia, store }: Needs,
  signal: AbortSignal,
): Promise<TrainJob> {
  const fewShot = body.kind !== "projection";
  const [field, other] = fewShot ? (["items", "pairs"] as const) : (["pairs", "items"] as const);
  if (body[other] !== undefined)
    throw invalidInput(other, `A ${body.kind} is made from "${field}", not from "${other}"`);
  const source = body[field];
  const columns = Array.isArray(source)
    ? await readColumns(source as Entry[], field, fewShot ? 1 : 2, fetchMedia, signal)
    : undefined;
  const pack = packs.find(
    body.model,
    ...modalitiesOf(columns),
    ...(fewShot ? (["text"] as const) : []),
  );
  const model = pack.manifest.id;
  const material = columns
    ? fromColumns(columns, field)
    : fromBody(body, field, mediaModality(pack.encoders));
  if (material.source.kind === "collection") {
    const { collection, by } = material.source;
    await checkLabelled(store, collection, by, {
      params: { collection: `${field}.collection`, field: `${field}.by` },
      signal,
    });
  }
  if (material.labels !== undefined && body.labels !== undefined) {
    throw invalidInput("labels", `Expected "labels" or a label in each of "${field}", not both`);
  }
  const labels = body.labels ?? material.labels;
  checkLabels(labels, material);
  checkLabels(body.groups, material, "groups");
  if (body.groups !== undefined && !fewShot)
    throw invalidInput(
      "groups",
      '"groups" are for a probe or cache; pairs are kept apart by "split"',
    );
  for (const [side, rows] of Object.entries(material.rows ?? {})) {
    const { dimensions } = pack.manifest;
    if (rows.dimensions === dimensions) continue;
    throw invalidInput(
      side,
      `Expected ${dimensions} numbers for each row of "${side}", as "${model}" gives, but ` +
        `received ${rows.dimensions}`,
    );
  }
  const common = { model, space: pack.space, source: material.source, labels };
  if (fewShot) {
    if (labels === undefined && material.source.kind !== "collection") {
      throw invalidInput("labels", `A ${body.kind} needs a label for each item`);
    }
    const name = body.name ?? `${model}-${body.kind}`;
    const kind = body.kind as FewShotInput["kind"];
    const data: FewShotInput = {
      ...common,
      name,
      kind,
      l2: body.l2,
      groups: body.groups,
      activate: body.activate !== "never",
    };
    return { kind: "few-shot", name, model, input: { data, files: material.files } };
  }

  const name = body.name ?? `${model}-head`;
  const options = optionsOf(body);
  checkOptions(options);
  const extras = extraRows(body, pack.manifest.dimensions);
  const heads = headsOf(body.head);
  if (material.rows?.b !== undefined) {
    const [a, b] = [material.rows.a, material.rows.b];
    const { third, features, split } = { ...extras, split: body.split };
    const names = [...new Set(labels)];
    const places = new Map(names.map((name, i) => [name, i]));
    const numbers = labels && Int32Array.from(labels, (label) => places.get(label) as number);
    checkRequest({
      a: { ...a, head: heads.a },
      b: { ...b, head: heads.b },
      labels: numbers,
      third,
      features,
      split,
      options,
      probe: probeOf(extras, body),
    });
  }
  const data: TrainInput = {
    ...common,
    name,
    heads,
    options,
    split: body.split,
    probeLabels: body.probe?.labels ?? body.probe_labels,
    screen: screenOf(body.screen),
    activate: body.activate ?? "never",
  };
  const files = { ...material.files };
  for (const [file, rows] of Object.entries(extras))
    if (rows !== undefined) files[`${file}.npy`] = npyOf(rows);
  return { kind: "train", name, model, input: { data, files } };
}

const modalitiesOf = (columns: Columns | undefined): Modality[] =>
  columns === undefined
    ? []
    : [columns.a.modality, ...(columns.b === undefined ? [] : [columns.b.modality])];

function optionsOf(body: TrainBody): Partial<TrainingOptions> {
  return {
    loss: body.loss,
    epochs: body.epochs,
    batchSize: body.batch_size,
    learningRate: body.learning_rate,
    weightDecay: body.weight_decay,
    decayTowards: body.decay_towards,
    warmup: body.warmup,
    patience: body.patience,
    mixup: body.mixup,
    logitScale: body.logit_scale,
    learnLogits: body.learn_logits,
    validationShare: body.validation_share,
    testShare: body.test_share,
    seed: body.seed,
  };
}

/** One head for both sides, or one for each, by side or by modality. */
function headsOf(head: TrainBody["head"]): TrainInput["heads"] {
  if (head === undefined) return {};
  if (typeof head !== "string" && !("kind" in head)) {
    return Object.fromEntries(
      Object.entries(head).flatMap(([side, choice]) =>
        choice === undefined ? [] : [[side, choiceOf(choice)]],
      ),
    );
  }
  return { a: choiceOf(head), b: choiceOf(head) };
}

type Choice = NonNullable<TrainInput["heads"]["a"]>;
const choiceOf = (choice: Choice | Exclude<Choice, "locked">["kind"]): Choice =>
  typeof choice === "string" && choice !== "locked" ? { kind: choice } : choice;

function extraRows(
  body: TrainBody,
  dimensions: number,
): Partial<Record<"third" | "features" | "probe-a" | "probe-b", Rows>> {
  const [probeA, probeB] = [body.probe?.a ?? body.probe_a, body.probe?.b ?? body.probe_b];
  const param = (side: "a" | "b") => (body.probe === undefined ? `probe_${side}` : `probe.${side}`);
  const missing = probeA === undefined ? "a" : "b";
  if ((probeA === undefined) !== (probeB === undefined))
    throw invalidInput(
      `probe_${missing}`,
      `"probe_${missing}" is missing: a probe set has two sides`,
    );
  if (probeA === undefined && body.probe_labels !== undefined)
    throw invalidInput(
      "probe_labels",
      `"probe_labels" belong to "probe_a" and "probe_b", which are missing`,
    );
  const probe = (side: "a" | "b", value: TrainBody["a"]) => {
    if (value === undefined) return undefined;
    const rows = embeddings(value, param(side));
    if (rows.dimensions === dimensions) return rows;
    const message = `Expected ${dimensions} numbers for each row of "${param(side)}"`;
    throw invalidInput(param(side), `${message} but received ${rows.dimensions}`);
  };
  return {
    third: body.third && embeddings(body.third, "third"),
    features: body.features && readRows(body.features, "features"),
    "probe-a": probe("a", probeA),
    "probe-b": probe("b", probeB),
  };
}

function probeOf(
  { "probe-a": a, "probe-b": b }: ReturnType<typeof extraRows>,
  { probe, probe_labels }: TrainBody,
) {
  const labels = probe?.labels ?? probe_labels;
  return a && b && { a: a.values, b: b.values, labels: labels && new Int32Array(labels.length) };
}

function screenOf(screen: TrainBody["screen"]): TrainInput["screen"] {
  if (screen === undefined || screen === false) return undefined;
  if (screen === true) return {};
  const options = {
    exclude: screen.exclude,
    mismatchZ: screen.mismatch_z,
    neighbors: screen.neighbors,
    isolation: screen.isolation,
    repeats: screen.repeats,
    duplicateCosine: screen.duplicate_cosine,
    differentCosine: screen.different_cosine,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
