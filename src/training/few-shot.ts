import { cosines, type Rows, rowAt, unitRows } from "../math/rows.js";
import { logSumExp, softmax } from "../math/softmax.js";
import { dot } from "../math/vector.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";

/** A handful of labelled embeddings. `labels[i]` is the class, 0..classes-1, of row i. */
export interface LabelledItems extends Rows {
  labels: Int32Array;
  classes: number;
}

/**
 * The zero-shot part: the unit embedding of each class, [classes, D], and the model's logit scale.
 */
export interface ZeroShotClasses {
  weights: Float32Array;
  logitScale: number;
}

/** A training-free adapter: labelled embeddings that vote beside the classes' texts. */
export interface CacheAdapter extends LabelledItems {
  kind: "cache";
  /** Weight of the votes relative to the texts. */
  alpha: number;
  /** How fast a vote fades with distance. */
  beta: number;
}

/** Logistic regression on embeddings. */
export interface LinearProbe {
  kind: "probe";
  dimensions: number;
  classes: number;
  /** [classes, D] */
  weights: Float32Array;
  /** [classes] */
  bias: Float32Array;
}

/**
 * Logits of Tip-Adapter: logitScale f W + alpha sum_k exp(-beta (1 - f K_k)) onehot(label_k).
 * Source: Zhang et al. 2022, https://arxiv.org/abs/2207.09519, equation 6.
 *
 * @param f  a unit embedding of `dimensions` numbers.
 * @returns logits, one for each class; softmax of them are the scores.
 */
export function cacheLogits(
  adapter: CacheAdapter,
  texts: ZeroShotClasses,
  f: Float32Array,
): Float64Array {
  checkLength(f, adapter.dimensions);
  const { dimensions } = adapter;
  const query = { values: f, dimensions };
  const logits = Float64Array.from(
    cosines(query, { values: texts.weights, dimensions }),
    (s) => texts.logitScale * s,
  );
  for (const [k, s] of cosines(query, adapter).entries()) {
    logits[adapter.labels[k]] += adapter.alpha * Math.exp(-adapter.beta * (1 - s));
  }
  return logits;
}

/**
 * Makes a cache adapter. Its alpha and beta are those under which each item is best predicted by
 * the others (leave one out), so that no test data is looked at; alpha = 0, zero-shot as it was, is
 * among the candidates. An item that is the only one of its class cannot be predicted by others:
 * with one item a class, alpha is 1 and beta 5.5.
 *
 * @param labelled  rows of any length but zero; they are kept at unit length.
 * @throws AppError `invalid_input` naming the row that has no direction.
 */
export function fitCacheAdapter(
  labelled: LabelledItems,
  texts: ZeroShotClasses,
  signal?: Cancellation,
): CacheAdapter {
  const items = checkItems(labelled);
  const { labels, classes, dimensions } = items;
  const count = labels.length;
  const cancel = () => throwIfCancelled(signal);
  const among = cosines(items, items, cancel);
  const zeroShot = cosines(items, { values: texts.weights, dimensions }, cancel);
  const members = new Int32Array(classes);
  for (const label of labels) members[label]++;
  const predictable = [...labels.keys()].filter((i) => members[labels[i]] > 1);
  if (predictable.length === 0) return { kind: "cache", ...items, alpha: 1, beta: 5.5 };
  let best = { loss: Number.POSITIVE_INFINITY, alpha: 0, beta: 1 };
  for (const beta of [1, 2, 5.5, 10, 20, 50]) {
    const votes = new Float64Array(count * classes);
    for (let i = 0; i < count; i++) {
      throwIfCancelled(signal);
      for (let k = 0; k < count; k++) {
        if (k !== i) votes[i * classes + labels[k]] += Math.exp(-beta * (1 - among[i * count + k]));
      }
    }
    for (const alpha of [0, 0.3, 1, 3, 10, 30, 100]) {
      let loss = 0;
      for (const i of predictable) {
        throwIfCancelled(signal);
        const logits = Float64Array.from(
          { length: classes },
          (_, c) => texts.logitScale * zeroShot[i * classes + c] + alpha * votes[i * classes + c],
        );
        loss += (logSumExp(logits) - logits[labels[i]]) / predictable.length;
      }
      if (loss < best.loss) best = { loss, alpha, beta };
    }
  }
  return { kind: "cache", ...items, alpha: best.alpha, beta: best.beta };
}

/** A fit as plain data, for a worker thread. */
export type FewShotTask = (
  | { kind: "cache"; items: LabelledItems; texts: ZeroShotClasses }
  | { kind: "probe"; items: LabelledItems; options?: LinearProbeOptions }
) & {
  /** One for each item: those of one group, such as clips of one recording, stay in one fold. */
  groups?: readonly string[];
};

export const fitFewShot = (task: FewShotTask, signal?: Cancellation): CacheAdapter | LinearProbe =>
  task.kind === "cache"
    ? fitCacheAdapter(task.items, task.texts, signal)
    : fitLinearProbe(task.items, task.options, signal);

export interface LinearProbeOptions {
  /** Weight of |W|^2 / 2 beside the mean cross-entropy. */
  l2?: number;
  maxIterations?: number;
}

/**
 * Multinomial logistic regression by Nesterov's accelerated gradient with step 1 / L: for unit rows
 * the cross-entropy's curvature is at most 1 (1/2 from the softmax, |(x, 1)|^2 = 2 from row and
 * bias). The bias is not held back. Converges to the one minimum: the result does not depend on a
 * start or seed.
 *
 * @param labelled  rows of any length but zero; they are brought to unit length.
 * @throws AppError `invalid_input` naming the row that has no direction.
 */
export function fitLinearProbe(
  labelled: LabelledItems,
  { l2 = 1e-3, maxIterations = 3000 }: LinearProbeOptions = {},
  signal?: Cancellation,
): LinearProbe {
  const items = checkItems(labelled);
  const { dimensions, labels, classes } = items;
  const count = labels.length;
  const width = dimensions + 1; // the bias is the weight of a constant 1
  const rate = 1 / (1 + l2);
  let w = new Float64Array(classes * width);
  let ahead = w.slice();
  let momentum = 1;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const gradient = new Float64Array(classes * width);
    for (let i = 0; i < count; i++) {
      throwIfCancelled(signal);
      const x = rowAt(items, i);
      const p = softmax(probeLogits(ahead, x, classes));
      for (let c = 0; c < classes; c++) {
        const slope = (p[c] - (labels[i] === c ? 1 : 0)) / count;
        const row = c * width;
        for (let d = 0; d < dimensions; d++) gradient[row + d] += slope * x[d];
        gradient[row + dimensions] += slope;
      }
    }
    let largest = 0;
    for (let k = 0; k < gradient.length; k++) {
      if (k % width !== dimensions) gradient[k] += l2 * ahead[k];
      largest = Math.max(largest, Math.abs(gradient[k]));
    }
    if (largest < 1e-6) break;
    const next = ahead.map((value, k) => value - rate * gradient[k]);
    let uphill = 0; // restart the momentum where it points uphill: O'Donoghue and Candès 2015
    for (let k = 0; k < next.length; k++) uphill += gradient[k] * (next[k] - w[k]);
    const following = uphill > 0 ? 1 : (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    const carry = uphill > 0 ? 0 : (momentum - 1) / following;
    const last = w;
    ahead = next.map((value, k) => value + carry * (value - last[k]));
    w = next;
    momentum = following;
  }
  const weights = new Float32Array(classes * dimensions);
  const bias = new Float32Array(classes);
  for (let c = 0; c < classes; c++) {
    weights.set(w.subarray(c * width, c * width + dimensions), c * dimensions);
    bias[c] = w[c * width + dimensions];
  }
  return { kind: "probe", dimensions, classes, weights, bias };
}

/** @returns the probe's logits, one for each class. */
export function linearProbeLogits(
  { weights, bias, dimensions }: LinearProbe,
  f: Float32Array,
): Float64Array {
  checkLength(f, dimensions);
  const rows = { values: weights, dimensions };
  return Float64Array.from(bias, (b, c) => b + dot(f, rowAt(rows, c))); // in float64: no overflow
}

function probeLogits(w: Float64Array, x: Float32Array, classes: number): Float64Array {
  const logits = new Float64Array(classes);
  for (let c = 0; c < classes; c++) {
    const row = c * (x.length + 1);
    let sum = w[row + x.length];
    for (let d = 0; d < x.length; d++) sum += w[row + d] * x[d];
    logits[c] = sum;
  }
  return logits;
}

function checkLength(f: Float32Array, dimensions: number): void {
  if (f.length !== dimensions)
    throw new RangeError(`Expected ${dimensions} numbers but received ${f.length}`);
}

/** The items at unit length. */
function checkItems(items: LabelledItems): LabelledItems {
  const { values, dimensions, labels, classes } = items;
  if (values.length !== labels.length * dimensions || labels.length === 0) {
    throw new RangeError(
      `Expected ${labels.length} rows of ${dimensions} numbers but received ${values.length} ` +
        "numbers",
    );
  }
  for (const label of labels) {
    if (!(label >= 0 && label < classes))
      throw new RangeError(`A label is ${label}, not one of ${classes} classes`);
  }
  return unitRows(items, "a");
}
