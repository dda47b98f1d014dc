import { AppError } from "../errors.js";
import type { Random } from "../math/random.js";
import type { Batch } from "./network.js";
import type { Rows, Split, TrainingRequest } from "./training-request.js";

/** Draws which pairs are trained on, which decide when to stop, and which are kept for the report. */
export function drawSplit(
  pairs: number,
  validationShare: number,
  testShare: number,
  random: Random,
): Split {
  const order = [...random.permutation(pairs)];
  const test = Math.max(1, Math.round(pairs * testShare));
  const validation = Math.round((pairs - test) * validationShare);
  return {
    test: order.slice(0, test),
    validation: order.slice(test, test + validation),
    train: order.slice(test + validation),
  };
}

/**
 * One epoch's batches, all of the same size, at most `batchSize`.
 *
 * @param positions  the pairs to draw from.
 * @param labels     of all pairs; when given, no batch holds two pairs of one label, so that no pair is told that its
 *   equal is a negative. The size is then at most the number of labels, and the labels with most pairs left come first.
 */
export function epochBatches(
  positions: readonly number[],
  batchSize: number,
  random: Random,
  labels?: Int32Array,
): number[][] {
  const order = [...random.permutation(positions.length)].map((i) => positions[i]);
  if (labels === undefined) {
    const size = Math.floor(order.length / Math.ceil(order.length / batchSize));
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
  if (size < 2) {
    throw new AppError(
      "invalid_input",
      "All pairs have one label: there is nothing to tell apart",
      {
        param: "labels",
      },
    );
  }
  const batches: number[][] = [];
  for (;;) {
    queues.sort((one, other) => other.length - one.length);
    if (queues[size - 1].length === 0) return batches;
    batches.push(queues.slice(0, size).map((queue) => queue.pop() as number));
  }
}

/** The rows of a request at some positions as a batch; with `mix` each pair is blended with the next one of the batch. */
export function gatherBatch(
  request: TrainingRequest,
  positions: readonly number[],
  mix = 1,
): Batch {
  const size = positions.length;
  const take = (rows: Rows) => {
    const { values, dimensions } = rows;
    const result = new Float32Array(size * dimensions);
    for (const [i, at] of positions.entries()) {
      result.set(values.subarray(at * dimensions, (at + 1) * dimensions), i * dimensions);
    }
    return result;
  };
  const mixed = (rows: Rows) => (mix === 1 ? take(rows) : blend(take(rows), rows.dimensions, mix));
  const { labels, third, features } = request;
  return {
    size,
    a: mixed(request.a),
    b: mixed(request.b),
    labels: labels && Int32Array.from(positions, (at) => labels[at]),
    third: third && mixed(third),
    features: features && take(features),
  };
}

/** unit(share x_i + (1 - share) x_{i+1}): mixup of embeddings, Zhang et al. 2018, https://arxiv.org/abs/1710.09412. */
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

/** A draw from Beta(alpha, alpha) for alpha in (0, 1], by Jöhnk's method. */
export function drawBeta(alpha: number, random: Random): number {
  for (;;) {
    const x = random.uniform() ** (1 / alpha);
    const y = random.uniform() ** (1 / alpha);
    if (x + y <= 1 && x + y > 0) return x / (x + y);
  }
}
