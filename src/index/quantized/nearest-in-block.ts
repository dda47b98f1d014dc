import { usearch } from "./usearch.js";

const { exactSearch, MetricKind } = usearch;

/**
 * The nearest rows of a matrix of float32 or int8 to each query, by comparing with every row.
 *
 * @param vectors  [N, dimensions], from the beginning of its buffer (usearch ignores offsets).
 * @param queries  [Q, dimensions] of the same type: the matrix is read once for all.
 * @returns for each query places in the matrix and dot products (float32 sums; of int8 exact up to
 *   1,040 dimensions), best first.
 */
export function nearestInBlock<V extends Float32Array | Int8Array>(
  vectors: V,
  queries: V,
  dimensions: number,
  count: number,
): Nearest[] {
  const aligned = queries.byteOffset === 0 ? queries : queries.slice();
  const { keys, distances } = exactSearch(vectors, aligned, dimensions, count, MetricKind.IP, 1);
  return Array.from({ length: aligned.length / dimensions }, (_, i) => ({
    places: Array.from(keys.subarray(i * count, (i + 1) * count), Number),
    similarities: Array.from(
      distances.subarray(i * count, (i + 1) * count),
      (distance) => 1 - distance,
    ),
  }));
}

export interface Nearest {
  places: number[];
  similarities: number[];
}
