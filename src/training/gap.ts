import { meanRow, type Rows, rowCount, spread, squaredDistances, vectorsOf } from "../math/rows.js";
import { mean } from "../math/statistics.js";
import { dot } from "../math/vector.js";

/**
 * Measures of two sets of unit embeddings, in linear time and memory.
 */

/**
 * mean(A) - mean(B). Its length is the centroid gap; Liang et al. 2022,
 * https://arxiv.org/abs/2203.02053, section 4.
 */
export function gapVector(a: Rows, b: Rows): Float64Array {
  const ofB = meanRow(b);
  return meanRow(a).map((x, d) => x - ofB[d]);
}

/**
 * Mean |x - y|^2 of two different rows, from the variance, without looking at pairs. 0 exactly when
 * all rows are the same; needs two rows.
 */
const meanSquaredDistance = (rows: Rows) =>
  (2 * spread(rows) * rowCount(rows)) / (rowCount(rows) - 1);

/**
 * Mean cosine of two different unit rows: the cone of a modality. 1 when all rows are the same, and
 * never more.
 */
export const meanCosine = (rows: Rows): number => 1 - meanSquaredDistance(rows) / 2;

/**
 * Mean |a_i - b_i|^2 = 2 - 2 cos. Wang and Isola 2020, https://arxiv.org/abs/2005.10242, alpha = 2.
 */
const alignment = (a: Rows, b: Rows): number => mean(squaredDistances(a, b));

/**
 * Squared distances below this are float32 rounding of unit rows: 1e-7 a number, squared, over all
 * numbers of a row.
 */
const rounding = 1e-12;

/**
 * Relative modality gap with distance (1 - cos) / 2: d_pair / (d_pair + (d_AA + d_BB) / 2), where
 * d_AA is the mean over different rows of A. 0.5 when pairs are as far apart as unrelated items of
 * one modality; 0 when everything is one point. Source: Schrodi et al. 2025,
 * https://arxiv.org/abs/2404.07983, and its analysis/gap_precompute.py.
 */
export function relativeModalityGap(a: Rows, b: Rows): number {
  const pair = alignment(a, b);
  const intra = (meanSquaredDistance(a) + meanSquaredDistance(b)) / 2;
  return pair + intra < rounding ? 0 : pair / (pair + intra);
}

/**
 * Share of all rows on their own side of the plane half-way between the centroids of `fit`. 1 = a
 * plane separates the two. Sides count equally, whatever their sizes.
 */
export function centroidSeparability(
  fit: { a: Rows; b: Rows },
  test: { a: Rows; b: Rows },
): number {
  const [ma, mb] = [meanRow(fit.a), meanRow(fit.b)];
  const normal = ma.map((x, d) => x - mb[d]);
  const threshold = normal.reduce((sum, x, d) => sum + (x * (ma[d] + mb[d])) / 2, 0);
  const share = (rows: Rows, sign: number) =>
    mean(vectorsOf(rows).map((row) => (sign * (dot(normal, row) - threshold) > 0 ? 1 : 0)));
  return (share(test.a, 1) + share(test.b, -1)) / 2;
}

/**
 * Dimensions by their share of the squared gap, largest first. Few carry most of it (Schrodi et al.
 * 2025, section 4).
 */
export function gapDimensions(gap: Float64Array): { dimension: number; share: number }[] {
  const total = dot(gap, gap) || 1;
  return Array.from(gap, (x, dimension) => ({ dimension, share: (x * x) / total })).sort(
    (p, q) => q.share - p.share,
  );
}

/** Rows minus a mean, back at unit length. A row equal to the mean stays a zero row. */
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
