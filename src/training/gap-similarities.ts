import { type Rows, rowCount, vectorsOf } from "../math/rows.js";
import { dot, norm } from "../math/vector.js";

/**
 * Symmetric InfoNCE of [N, N] similarities in [-1, 1] at a temperature, in nats; pairs on the
 * diagonal. Exponents are taken relative to a similarity of 1: at temperature 0.01 the smallest is
 * e^-200, well inside float64.
 */
export function infoNceOf(similarity: Float32Array, temperature: number): number {
  const n = Math.sqrt(similarity.length);
  const rows = new Float64Array(n);
  const columns = new Float64Array(n);
  let ofPairs = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const e = Math.exp((similarity[i * n + j] - 1) / temperature);
      rows[i] += e;
      columns[j] += e;
    }
    ofPairs += (similarity[i * n + i] - 1) / temperature;
  }
  let total = 0;
  for (let i = 0; i < n; i++) total += (Math.log(rows[i]) + Math.log(columns[i])) / 2;
  return Math.max(0, total - ofPairs) / n; // rounding may take a perfect one below 0
}

/** Two sides moved along the gap and renormalised. */
export interface Shifted {
  /** Distance of the centroids afterwards; negative once they have passed each other. */
  distance: number;
  /** [N, N] */
  similarity: Float32Array;
}

/**
 * Moves A by -delta/2 and B by +delta/2 along the unit gap vector g and renormalises, without
 * touching a vector:
 *
 *   x' . y' = (x.y + s x.g - s y.g - s^2) / (|x - s g| |y + s g|),
 *   s = delta / 2,   |x - s g|^2 = 1 - 2 s x.g + s^2
 *
 * Source: Liang et al. 2022, https://arxiv.org/abs/2203.02053, section 4.2, as its notebooks do it.
 *
 * @param similarity  [N, N], the similarities of unit rows at delta = 0.
 * @returns delta -> the shifted state.
 */
export function shifter(
  a: Rows,
  b: Rows,
  gap: Float64Array,
  similarity: Float32Array,
): (delta: number) => Shifted {
  const { dimensions } = a;
  const n = rowCount(a);
  const length = norm(gap);
  const g = gap.map((x) => (length > 0 ? x / length : 0));
  const along = (rows: Rows) => Float64Array.from(vectorsOf(rows), (row) => dot(g, row));
  const [ga, gb] = [along(a), along(b)];
  const unit = length > 0 ? 1 : 0; // |g|^2
  return (delta) => {
    const s = delta / 2;
    const inverse = (v: Float64Array, sign: number) =>
      v.map((x) => 1 / Math.sqrt(1 + sign * 2 * s * x + s * s * unit));
    const [ia, ib] = [inverse(ga, -1), inverse(gb, 1)];
    const result = new Float32Array(similarity.length);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const moved = similarity[i * n + j] + s * ga[i] - s * gb[j] - s * s * unit;
        result[i * n + j] = moved * ia[i] * ib[j];
      }
    }
    const difference = new Float64Array(dimensions);
    for (let i = 0; i < n; i++) {
      for (let d = 0; d < dimensions; d++) {
        const x = (a.values[i * dimensions + d] - s * g[d]) * ia[i];
        const y = (b.values[i * dimensions + d] + s * g[d]) * ib[i];
        difference[d] += (x - y) / n;
      }
    }
    const sign = dot(difference, g) < 0 ? -1 : 1;
    return { distance: sign * norm(difference), similarity: result };
  };
}
