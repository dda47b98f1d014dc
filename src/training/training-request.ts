import { createHash } from "node:crypto";
import type { ProjectionHead } from "../encoders/head.js";
import { invalidInput } from "../errors.js";
import { checkFinite, distinctRows, type Rows, rowCount, unitRows } from "../math/rows.js";
import type { HeadChoice } from "./initial-head.js";
import { type LossName, lossNames } from "./losses/loss.js";

/**
 * One side of the pairs: embeddings (brought to unit length), and the head to train on them.
 * `locked` leaves the side unchanged.
 */
export interface TrainingSide extends Rows {
  head?: HeadChoice | "locked";
}

export interface TrainingOptions {
  loss: LossName;
  epochs: number;
  /** Upper limit; batches of one epoch have equal size. */
  batchSize: number;
  /** Peak of the schedule. */
  learningRate: number;
  weightDecay: number;
  /** The target of weight decay: the start, or zero. */
  decayTowards: "zero" | "start";
  /** Share of steps with a rising learning rate. */
  warmup: number;
  /** Epochs without a lower validation loss after which training stops; 0 never stops early. */
  patience: number;
  /** alpha of the Beta distribution that pairs of a batch are mixed with; 0 mixes nothing. */
  mixup: number;
  /**
   * Start of the logit scale (default: the best fit of the untrained embeddings), and whether it is
   * learned.
   */
  logitScale?: number;
  learnLogits: boolean;
  /** Shares of the pairs kept from training when no split is given. */
  validationShare: number;
  testShare: number;
  seed: number;
}

export const trainingDefaults: TrainingOptions = {
  loss: "infonce",
  epochs: 50,
  batchSize: 256,
  learningRate: 3e-4,
  weightDecay: 0.1,
  decayTowards: "start",
  warmup: 0.1,
  patience: 10,
  mixup: 0,
  learnLogits: true,
  validationShare: 0.15,
  testShare: 0.2,
  seed: 1,
};

export interface TrainingRequest {
  /** Row i of `a` and row i of `b` are a pair. */
  a: TrainingSide;
  b: TrainingSide;
  /**
   * One label for each pair. Pairs of one label are never each other's negatives, and count as
   * found for one another.
   */
  labels?: Int32Array;
  /** three-towers: embeddings of the same pairs by a frozen third model. */
  third?: Rows;
  /** expclr: continuous features of the same pairs. */
  features?: Rows;
  /** Positions of the pairs for each use; without it their content decides. */
  split?: Split;
  /** Positions of pairs excluded from training and validation. */
  exclude?: readonly number[];
  /** The active version: an improvement must be better than this too. */
  active?: { version: number; a?: ProjectionHead; b?: ProjectionHead };
  /** Pairs of other data whose retrieval must not get worse; same dimensions. */
  probe?: { a: Float32Array; b: Float32Array; labels?: Int32Array };
  options?: Partial<TrainingOptions>;
}

export interface Split {
  train: readonly number[];
  validation: readonly number[];
  test: readonly number[];
}

const fail = (param: string, message: string): never => {
  throw invalidInput(param, message);
};

/**
 * The options with their defaults. @throws AppError `invalid_input` that names the option at fault.
 */
export function checkOptions(partial: Partial<TrainingOptions> = {}): TrainingOptions {
  const present = Object.entries(partial).filter(([, value]) => value !== undefined);
  const options: TrainingOptions = { ...trainingDefaults, ...Object.fromEntries(present) };
  if (!lossNames.includes(options.loss)) {
    fail("loss", `The loss "${options.loss}" is unknown; expected one of ${lossNames.join(", ")}`);
  }
  if (options.mixup > 0 && options.loss === "supervised-contrastive") {
    fail(
      "mixup",
      "A mixed pair has no single label: mixup does not work with supervised-contrastive",
    );
  }
  const within = (name: keyof TrainingOptions, low: number, high: number, isInteger = false) => {
    const value = options[name] as number;
    if (value >= low && value <= high && (!isInteger || Number.isInteger(value))) return;
    // As it is spelled on the wire
    const param = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    fail(
      param,
      `Expected ${isInteger ? "a whole number" : "a number"} from ${low} to ${high} for ` +
        `"${param}" but received ${value}`,
    );
  };
  within("epochs", 1, 10_000, true);
  within("batchSize", 2, 8192, true);
  within("learningRate", 1e-8, 1);
  within("weightDecay", 0, 100);
  within("warmup", 0, 1);
  within("patience", 0, 10_000, true);
  within("mixup", 0, 1);
  within("validationShare", 0, 0.5);
  within("testShare", 0.01, 0.5);
  within("seed", 0, 0xffffffff, true);
  if (options.logitScale !== undefined) within("logitScale", 1e-3, 100);
  return options;
}

/** @throws AppError `invalid_input` that names the field at fault. */
export function checkRequest(request: TrainingRequest): {
  pairs: number;
  options: TrainingOptions;
} {
  const options = checkOptions(request.options);
  const rowsOf = (rows: Rows, name: string) => {
    checkFinite(rows, name);
    return rowCount(rows);
  };
  const pairs = rowsOf(request.a, "a");
  const expectRows = (count: number, name: string) => {
    if (count !== pairs)
      fail(name, `Expected ${pairs} rows for "${name}", as many as "a" has, but received ${count}`);
  };
  expectRows(rowsOf(request.b, "b"), "b");
  if (request.third) expectRows(rowsOf(request.third, "third"), "third");
  if (request.features) expectRows(rowsOf(request.features, "features"), "features");
  if (request.labels) expectRows(request.labels.length, "labels");
  if (pairs < 8) fail("pairs", `Training needs at least 8 pairs but received ${pairs}`);
  const labels = batchLabels(request, options);
  if (labels !== undefined && new Set(labels).size < 2)
    fail("labels", "All pairs have the same label: there is nothing to learn");
  const needs = {
    "supervised-contrastive": "labels",
    "three-towers": "third",
    expclr: "features",
  } as const;
  const need = needs[options.loss as keyof typeof needs];
  if (need !== undefined && request[need] === undefined)
    fail(need, `The loss "${options.loss}" needs "${need}"`);
  if (options.loss === "expclr" && request.features && distinctRows(request.features) < 2) {
    const count = `1 distinct row of ${pairs}`;
    fail("features", `The features are all equal (${count}): there is nothing to learn from them`);
  }
  if (request.a.head === "locked" && request.b.head === "locked") {
    fail("head", "Both sides are locked: there is nothing to train");
  }
  const used = new Set<number>();
  for (const at of Object.values(request.split ?? {}).flat()) {
    if (!(Number.isInteger(at) && at >= 0 && at < pairs))
      fail("split", `The split names pair ${at} of ${pairs}`);
    if (used.has(at))
      fail("split", `The split names pair ${at} twice: a pair cannot be for training and test`);
    used.add(at);
  }
  if (request.probe) {
    const { a, b, labels } = request.probe;
    const count = rowsOf({ values: a, dimensions: request.a.dimensions }, "probe");
    const others = rowsOf({ values: b, dimensions: request.b.dimensions }, "probe");
    if (count !== others || count === 0 || (labels && labels.length !== count)) {
      fail(
        "probe",
        `The probe set has ${count} rows of "a" and ${others} of "b"; expected as many of ` +
          "each, and of labels",
      );
    }
  }
  return { pairs, options };
}

/**
 * The labels by which pairs of a batch are kept apart; none for losses that use pairs of one label
 * together.
 */
export function batchLabels(
  { labels }: Pick<TrainingRequest, "labels">,
  { loss }: Pick<TrainingOptions, "loss">,
): Int32Array | undefined {
  return loss === "supervised-contrastive" || loss === "expclr" ? undefined : labels;
}

/**
 * The request with every embedding at unit length; those that already are are not copied.
 * @throws AppError `invalid_input` for a row that has no direction.
 */
export function withUnitRows(request: TrainingRequest): TrainingRequest {
  const { a, b, third, probe } = request;
  const ofProbe = (side: "a" | "b") =>
    unitRows({ values: probe![side], dimensions: request[side].dimensions }, "probe").values;
  return {
    ...request,
    a: unitRows(a, "a"),
    b: unitRows(b, "b"),
    third: third && unitRows(third, "third"),
    probe: probe && { ...probe, a: ofProbe("a"), b: ofProbe("b") },
  };
}

/** sha256 of the data, hexadecimal: a head's lineage. */
export function hashOfData(request: TrainingRequest): string {
  const hash = createHash("sha256");
  const add = (array: ArrayBufferView | undefined) => {
    hash.update(`${array?.byteLength ?? "none"};`);
    if (array) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  };
  for (const rows of [request.a, request.b, request.third, request.features]) {
    hash.update(`${rows?.dimensions};`);
    add(rows?.values);
  }
  add(request.labels);
  return hash.digest("hex");
}
