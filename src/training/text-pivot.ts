import { cosines, type Rows, rowAt, rowCount, rowsOf } from "../math/rows.js";
import { norm, normalize } from "../math/vector.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";

/**
 * Soft retrieval: for each query the mean of `values`, weighted by softmax(query . key /
 * temperature) over its nearest keys. Source: C-MCR's aggregation through a memory, Wang et al.
 * 2023, https://arxiv.org/abs/2305.14381, section 3.2.
 *
 * With texts as keys in one space and values in the other it maps any embedding across without
 * training: the text pivot. With keys = values it moves a text into another modality's region of
 * its own space.
 *
 * @param keys    [N, D], `values` [N, E]: row i of both is the same item.
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
  const mixes: Float32Array[] = [];
  for (let i = 0; i < rowCount(queries); i++) {
    throwIfCancelled(signal);
    const query = { values: rowAt(queries, i), dimensions: queries.dimensions };
    const similarity = cosines(query, keys);
    const nearest = Array.from(similarity.keys())
      .sort((p, q) => similarity[q] - similarity[p])
      .slice(0, topK);
    const mixed = new Float64Array(values.dimensions);
    for (const at of nearest) {
      const weight = Math.exp((similarity[at] - similarity[nearest[0]]) / temperature);
      const row = rowAt(values, at);
      for (let d = 0; d < mixed.length; d++) mixed[d] += weight * row[d];
    }
    // Values that cancel out have no mean direction: the nearest is used instead.
    mixes.push(norm(mixed) > 0 ? normalize(mixed) : rowAt(values, nearest[0]));
  }
  return rowsOf(mixes);
}
