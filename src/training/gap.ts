import type { Rows } from "./training-request.js";

/** Where two sets of unit embeddings lie. All of it takes time and memory in proportion to their size. */

export const rowCount = ({ values, dimensions }: Rows) => values.length / dimensions;

/** Arithmetic mean of the rows, [D], not of unit length. */
export function centroid({ values, dimensions }: Rows): Float64Array {
  const mean = new Float64Array(dimensions);
  for (let at = 0; at < values.length; at += dimensions) {
    for (let d = 0; d < dimensions; d++) mean[d] += values[at + d];
  }
  const n = values.length / dimensions;
  for (let d = 0; d < dimensions; d++) mean[d] /= n;
  return mean;
}

/** mean(A) - mean(B). Its length is the centroid gap; Liang et al. 2022, https://arxiv.org/abs/2203.02053, section 4. */
export function gapVector(a: Rows, b: Rows): Float64Array {
  const ofB = centroid(b);
  return centroid(a).map((x, d) => x - ofB[d]);
}

export const lengthOf = (v: Float64Array) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));

/**
 * Mean cosine of two different rows: the cone of a modality. Of unit rows it is (N |mean|^2 - 1) / (N - 1), so no pair is
 * looked at. 1 when all rows are the same; needs two rows.
 */
export function meanCosine(rows: Rows): number {
  const n = rowCount(rows);
  return (n * lengthOf(centroid(rows)) ** 2 - 1) / (n - 1);
}

/** a_i . b_i for each pair. */
export function pairCosines(a: Rows, b: Rows): Float64Array {
  const { dimensions } = a;
  return Float64Array.from({ length: rowCount(a) }, (_, i) => {
    let sum = 0;
    for (let d = 0; d < dimensions; d++)
      sum += a.values[i * dimensions + d] * b.values[i * dimensions + d];
    return sum;
  });
}

/** Mean |a_i - b_i|^2 = 2 - 2 cos. Wang and Isola 2020, https://arxiv.org/abs/2005.10242, alpha = 2. */
export function alignment(cosines: ArrayLike<number>): number {
  return 2 - 2 * mean(cosines);
}

/**
 * Relative modality gap with distance (1 - cos) / 2: d_pair / (d_pair + (d_AA + d_BB) / 2), where d_AA is the mean over
 * different rows of A. 0.5 when pairs are as far apart as strangers of one modality.
 * Source: Schrodi et al. 2025, https://arxiv.org/abs/2404.07983, and its analysis/gap_precompute.py.
 */
export function relativeModalityGap(a: Rows, b: Rows, cosines: ArrayLike<number>): number {
  const distance = (cosine: number) => (1 - cosine) / 2;
  const pair = distance(mean(cosines));
  const intra = (distance(meanCosine(a)) + distance(meanCosine(b))) / 2;
  return pair + intra === 0 ? 0 : pair / (pair + intra);
}

/**
 * Share of all rows on their own side of the plane half-way between the centroids of `fit`. 1 = a plane parts the two.
 * Sides count alike, whatever their sizes.
 */
export function centroidSeparability(
  fit: { a: Rows; b: Rows },
  test: { a: Rows; b: Rows },
): number {
  const [ma, mb] = [centroid(fit.a), centroid(fit.b)];
  const normal = ma.map((x, d) => x - mb[d]);
  const threshold = normal.reduce((sum, x, d) => sum + (x * (ma[d] + mb[d])) / 2, 0);
  const share = ({ values, dimensions }: Rows, sign: number) => {
    let right = 0;
    for (let at = 0; at < values.length; at += dimensions) {
      let along = -threshold;
      for (let d = 0; d < dimensions; d++) along += normal[d] * values[at + d];
      if (sign * along > 0) right++;
    }
    return right / (values.length / dimensions);
  };
  return (share(test.a, 1) + share(test.b, -1)) / 2;
}

/** Dimensions by their share of the squared gap, largest first. Few carry most of it (Schrodi et al. 2025, section 4). */
export function gapDimensions(gap: Float64Array): { dimension: number; share: number }[] {
  const total = lengthOf(gap) ** 2 || 1;
  return Array.from(gap, (x, dimension) => ({ dimension, share: (x * x) / total })).sort(
    (p, q) => q.share - p.share,
  );
}

/** Rows minus a mean, back at unit length. A row that is the mean stays a zero row. */
export function centered({ values, dimensions }: Rows, mean: Float64Array): Rows {
  const result = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += dimensions) {
    let square = 0;
    for (let d = 0; d < dimensions; d++) square += (values[at + d] - mean[d]) ** 2;
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let d = 0; d < dimensions; d++) result[at + d] = (values[at + d] - mean[d]) * scale;
  }
  return { values: result, dimensions };
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
