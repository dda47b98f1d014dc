/**
 * Area under the ROC curve: how often a known score is above an unknown one, a tie counting half
 * (Mann and Whitney 1947). .5 is chance; `auroc([3, 2], [2, 1])` is 3.5 / 4. NaN of an empty side.
 */
export function auroc(known: ArrayLike<number>, unknown: ArrayLike<number>): number {
  const below = Float64Array.from(unknown).sort();
  let wins = 0;
  for (let i = 0; i < known.length; i++) {
    wins += (rank(below, known[i], false) + rank(below, known[i], true)) / 2;
  }
  return wins / (known.length * unknown.length);
}

/** How many of the sorted values are below x, or at most x with `orEqual`. */
function rank(sorted: Float64Array, x: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x || (orEqual && sorted[middle] === x)) low = middle + 1;
    else high = middle;
  }
  return low;
}
