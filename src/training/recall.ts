/** How good retrieval is, from similarities of N queries to M candidates, [N, M] row-major. */

/** Whether candidate j is a right answer to query i. */
export type IsRight = (query: number, candidate: number) => boolean;

/**
 * Rank of each query's best right candidate, 1 = first; infinite without one. A wrong candidate
 * that ties counts as before it.
 * @param isRight  by default candidate i is the right one of query i.
 */
export function ranks(
  similarity: Float32Array,
  queries: number,
  isRight: IsRight = (query, candidate) => query === candidate,
): Float64Array {
  const candidates = similarity.length / queries;
  const result = new Float64Array(queries).fill(1);
  for (let i = 0; i < queries; i++) {
    const row = i * candidates;
    let best = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < candidates; j++)
      if (similarity[row + j] > best && isRight(i, j)) best = similarity[row + j];
    if (best === Number.NEGATIVE_INFINITY) result[i] = Number.POSITIVE_INFINITY;
    else
      for (let j = 0; j < candidates; j++)
        if (similarity[row + j] >= best && !isRight(i, j)) result[i]++;
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
