import { meanRow, type Rows, rowAt, rowCount, rowsOf } from "../math/rows.js";
import { dot, norm } from "../math/vector.js";

/** Embeddings and the number of the modality of each. */
export interface MapRows extends Rows {
  kinds: Uint8Array;
}

/** For each region a position in the words, -1 where none is nearer than chance; the cosines. */
export interface NearestWords {
  words: number[];
  cosines: number[];
}

/**
 * What sets each region apart: the mean of its items, each less the mean of its modality. [R, D]
 *
 * @param rows  [N, D]
 */
export function regionMeans(rows: MapRows, regions: readonly { members: number[] }[]): Rows {
  const { values, dimensions, kinds } = rows;
  const sums = Array.from({ length: Math.max(0, ...kinds) + 1 }, () => ({
    count: 0,
    sum: new Float64Array(dimensions),
  }));
  for (const [i, kind] of kinds.entries()) {
    sums[kind].count++;
    for (let d = 0; d < dimensions; d++) sums[kind].sum[d] += values[i * dimensions + d];
  }
  const means = regions.map(({ members }) => {
    const mean = new Float32Array(dimensions);
    for (const i of members) {
      const { count, sum } = sums[kinds[i]];
      for (let d = 0; d < dimensions; d++)
        mean[d] += (values[i * dimensions + d] - sum[d] / count) / members.length;
    }
    return mean;
  });
  return { ...rowsOf(means), dimensions };
}

/**
 * The nearest word of each region, by cosine, both less their mean.
 *
 * @param means  [R, D], of the regions. @param words  [W, D].
 * @returns R positions in the words, -1 where none is nearer than chance; and the cosines.
 */
export function nearestWords({ means, words }: { means: Rows; words: Rows }): NearestWords {
  const mean = meanRow(words);
  const centered = Array.from({ length: rowCount(words) }, (_, i) => {
    const word = Float64Array.from(rowAt(words, i), (value, d) => value - mean[d]);
    const length = norm(word) || 1;
    return word.map((value) => value / length);
  });
  const nearest: NearestWords = { words: [], cosines: [] };
  for (let r = 0; r < rowCount(means); r++) {
    const region = rowAt(means, r);
    const length = norm(region) || 1;
    let [best, largest] = [-1, 0];
    for (const [w, word] of centered.entries()) {
      const cosine = dot(word, region) / length;
      if (cosine > largest) [best, largest] = [w, cosine];
    }
    nearest.words.push(best);
    nearest.cosines.push(largest);
  }
  return nearest;
}
