import { normalize } from "../math/vector.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";
import { similarities } from "./pair-facts.js";
import type { Rows } from "./training-request.js";

/**
 * Soft retrieval: for each query the mean of `values`, weighted by softmax(query . key / temperature) over its nearest keys.
 * Source: C-MCR's aggregation through a memory, Wang et al. 2023, https://arxiv.org/abs/2305.14381, section 3.2.
 *
 * With texts as keys in one space and values in the other it carries any embedding across, with nothing to train:
 * the text pivot. With keys = values it moves a text into another modality's part of its own space.
 *
 * @param keys    [N, D], `values` [N, E]: row i of both is the same thing.
 * @returns [M, E] unit rows, one for each of the M queries.
 */
export function softRetrieve(
  queries: Rows,
  keys: Rows,
  values: Rows,
  {
    topK = 50,
    temperature = 0.01,
    signal,
  }: { topK?: number; temperature?: number; signal?: Cancellation } = {},
): Rows {
  const { dimensions } = queries;
  const count = queries.values.length / dimensions;
  const result = new Float32Array(count * values.dimensions);
  for (let i = 0; i < count; i++) {
    throwIfCancelled(signal);
    const query = queries.values.subarray(i * dimensions, (i + 1) * dimensions);
    const similarity = similarities(query, keys.values, dimensions);
    const nearest = Array.from(similarity.keys())
      .sort((p, q) => similarity[q] - similarity[p])
      .slice(0, topK);
    const mixed = new Float64Array(values.dimensions);
    for (const at of nearest) {
      const weight = Math.exp((similarity[at] - similarity[nearest[0]]) / temperature);
      for (let d = 0; d < mixed.length; d++)
        mixed[d] += weight * values.values[at * values.dimensions + d];
    }
    result.set(normalize(mixed), i * values.dimensions);
  }
  return { values: result, dimensions: values.dimensions };
}
