import { invalidInput } from "../errors.js";
import type { Random } from "../math/random.js";
import { type Rows, take } from "../math/rows.js";
import type { Batch } from "./network.js";
import type { Split, TrainingRequest } from "./training-request.js";

/**
 * Splits pairs into training, validation and test: the first of `order` are for the test.
 *
 * With labels each part gets its share of every label: the pairs of a label are spread evenly from
 * a random start (systematic sampling). Training always has at least two labels if there are two.
 *
 * @param drawn   positions of all pairs.
 * @param labels  one for each pair.
 */
export function drawSplit(
  drawn: readonly number[],
  validationShare: number,
  testShare: number,
  random: Random,
  labels?: Int32Array,
): Split {
  const pairs = drawn.length;
  const order = labels === undefined ? [...drawn] : spreadLabels(drawn, labels, random);
  const test = Math.max(1, Math.round(pairs * testShare));
  const validation = Math.round((pairs - test) * validationShare);
  const heldOut = test + validation;
  if (
    labels !== undefined &&
    order.slice(heldOut).every((at) => labels[at] === labels[order[heldOut]])
  ) {
    // Validation goes first: it follows the test pairs.
    const other = order
      .slice(0, heldOut)
      .findLastIndex((at) => labels[at] !== labels[order[heldOut]]);
    if (other >= 0) [order[other], order[heldOut]] = [order[heldOut], order[other]];
  }
  return {
    test: order.slice(0, test),
    validation: order.slice(test, heldOut),
    train: order.slice(heldOut),
  };
}

/** The same pairs in an order of which every stretch holds about its share of each label. */
function spreadLabels(drawn: readonly number[], labels: Int32Array, random: Random): number[] {
  const counts = new Map<number, number>();
  for (const at of drawn) counts.set(labels[at], (counts.get(labels[at]) ?? 0) + 1);
  const starts = new Map([...counts.keys()].map((label) => [label, random.uniform()]));
  const seen = new Map<number, number>();
  const places = new Float64Array(drawn.length);
  for (const at of drawn) {
    const label = labels[at];
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    places[at] = (before + (starts.get(label) as number)) / (counts.get(label) as number);
  }
  return [...drawn].sort((one, other) => places[one] - places[other]);
}

/**
 * One epoch's batches, all of the same size, at most `batchSize`.
 *
 * @param positions  the pairs to draw from.
 * @param labels     of all pairs; when given, no batch holds two pairs of one label, so that no
 *   pair has an equal one as its negative. The size is then at most the number of labels, and the
 *   labels with most pairs left come first.
 */
export function epochBatches(
  positions: readonly number[],
  batchSize: number,
  random: Random,
  labels?: Int32Array,
): number[][] {
  const order = [...random.permutation(positions.length)].map((i) => positions[i]);
  if (labels === undefined) {
    // A single pair has no negative: with batches of two, an odd count drops one pair.
    const size = Math.max(2, Math.floor(order.length / Math.ceil(order.length / batchSize)));
    return Array.from({ length: Math.floor(order.length / size) }, (_, k) =>
      order.slice(k * size, (k + 1) * size),
    );
  }
  const left = new Map<number, number[]>();
  for (const at of order) {
    const pairs = left.get(labels[at]);
    if (pairs) pairs.push(at);
    else left.set(labels[at], [at]);
  }
  const queues = [...left.values()];
  const size = Math.min(batchSize, queues.length);
  if (size < 2)
    throw invalidInput("labels", "All pairs have the same label: there is nothing to learn");
  const batches: number[][] = [];
  for (;;) {
    queues.sort((one, other) => other.length - one.length);
    if (queues[size - 1].length === 0) return batches;
    batches.push(queues.slice(0, size).map((queue) => queue.pop() as number));
  }
}

/**
 * The rows of a request at some positions as a batch; with `mix` each pair is blended with the next
 * one of the batch.
 */
export function batchAt(request: TrainingRequest, positions: readonly number[], mix = 1): Batch {
  const taken = (rows: Rows) => take(rows, positions).values;
  const mixed = (rows: Rows) =>
    mix === 1 ? taken(rows) : blend(taken(rows), rows.dimensions, mix);
  const { labels, third, features } = request;
  return {
    size: positions.length,
    a: mixed(request.a),
    b: mixed(request.b),
    labels: labels && Int32Array.from(positions, (at) => labels[at]),
    third: third && mixed(third),
    features: features && taken(features),
  };
}

/**
 * unit(share x_i + (1 - share) x_{i+1}): mixup of embeddings, Zhang et al. 2018,
 * https://arxiv.org/abs/1710.09412.
 */
function blend(x: Float32Array, dimensions: number, share: number): Float32Array {
  const result = new Float32Array(x.length);
  for (let row = 0; row < x.length; row += dimensions) {
    const next = (row + dimensions) % x.length;
    let squares = 0;
    for (let d = 0; d < dimensions; d++) {
      result[row + d] = share * x[row + d] + (1 - share) * x[next + d];
      squares += result[row + d] ** 2;
    }
    const length = Math.sqrt(squares);
    for (let d = 0; length > 0 && d < dimensions; d++) result[row + d] /= length;
  }
  return result;
}

/**
 * A draw from Beta(alpha, alpha) for alpha in (0, 1], by Jöhnk's method. Where both powers are too
 * small for float64, as nearly always for tiny alphas, their ratio comes from the logarithms.
 */
export function drawBeta(alpha: number, random: Random): number {
  for (;;) {
    const [u, v] = [random.uniform(), random.uniform()];
    const x = u ** (1 / alpha);
    const y = v ** (1 / alpha);
    if (x + y > 1) continue;
    return x + y > 0 ? x / (x + y) : 1 / (1 + Math.exp((Math.log(v) - Math.log(u)) / alpha));
  }
}
