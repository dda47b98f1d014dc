/** How good retrieval is, from similarities of N queries to M candidates, [N, M] row-major. */

/**
 * Rank of each query's right candidate, 1 = first. A wrong candidate that ties counts as before it,
 * so that embeddings which are all the same find nothing.
 * @param right  position of the right candidate; by default query i's is i.
 */
export function ranks(
  similarity: Float32Array,
  queries: number,
  right = (query: number) => query,
): Float64Array {
  const candidates = similarity.length / queries;
  const result = new Float64Array(queries).fill(1);
  for (let i = 0; i < queries; i++) {
    const row = i * candidates;
    const at = right(i);
    const own = similarity[row + at];
    for (let j = 0; j < candidates; j++) if (j !== at && similarity[row + j] >= own) result[i]++;
  }
  return result;
}

/** Share of ranks that are at most k. `recallAtK([1, 2, 7], 5)` is 2/3. */
export function recallAtK(allRanks: ArrayLike<number>, k: number): number {
  let found = 0;
  for (let i = 0; i < allRanks.length; i++) if (allRanks[i] <= k) found++;
  return found / allRanks.length;
}

export function meanReciprocalRank(allRanks: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < allRanks.length; i++) sum += 1 / allRanks[i];
  return sum / allRanks.length;
}

/** [N, M] -> [M, N]. */
export function transposed(similarity: Float32Array, rows: number): Float32Array {
  const columns = similarity.length / rows;
  const result = new Float32Array(similarity.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = similarity[i * columns + j];
  return result;
}
