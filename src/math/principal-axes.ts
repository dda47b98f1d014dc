import { seededRandom } from "./random.js";
import type { Rows } from "./rows.js";
import { dot, norm } from "./vector.js";

/**
 * The two directions of largest variance, [D] each, and the share of the variance along each, by
 * orthogonal iteration. The larger coordinate of each is positive, so that pictures do not flip.
 *
 * @param rows  [N, D].
 * @param mean  [D], of the rows.
 */
export function principalAxes(
  { values, dimensions }: Rows,
  mean: Float64Array,
): { axes: readonly [Float64Array, Float64Array]; explained: [number, number] } {
  const n = values.length / dimensions;
  const random = seededRandom(1);
  const width = Math.min(4, dimensions); // two more than shown: the second axis converges sooner
  let axes = Array.from({ length: width }, () =>
    Float64Array.from({ length: dimensions }, () => random.normal()),
  );
  orthonormalize(axes);
  let variance = new Float64Array(width);
  const row = new Float64Array(dimensions);
  for (let turn = 0; turn < 100; turn++) {
    const next = axes.map(() => new Float64Array(dimensions));
    for (let i = 0; i < n; i++) {
      for (let d = 0; d < dimensions; d++) row[d] = values[i * dimensions + d] - mean[d];
      for (let k = 0; k < width; k++) {
        let along = 0;
        for (let d = 0; d < dimensions; d++) along += row[d] * axes[k][d];
        for (let d = 0; d < dimensions; d++) next[k][d] += (along * row[d]) / n;
      }
    }
    const before = variance;
    variance = Float64Array.from(next, (v, k) => dot(v, axes[k]));
    orthonormalize(next);
    axes = next;
    if (turn > 5 && [0, 1].every((k) => Math.abs(variance[k] - before[k]) <= 1e-7 * variance[0]))
      break;
  }
  let total = 0;
  for (let i = 0; i < values.length; i++) total += (values[i] - mean[i % dimensions]) ** 2 / n;
  const [first, second = new Float64Array(dimensions)] = axes;
  for (const axis of [first, second]) {
    const largest = axis.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
    if (largest < 0) for (let d = 0; d < dimensions; d++) axis[d] = -axis[d];
  }
  const share = (k: number) => (total > 0 ? Math.min(1, (variance[k] ?? 0) / total) : 0);
  return { axes: [first, second] as const, explained: [share(0), share(1)] as [number, number] };
}

/** Gram-Schmidt in place; a vector that depends on earlier ones becomes zero. */
function orthonormalize(vectors: Float64Array[]): void {
  for (const [k, v] of vectors.entries()) {
    for (let pass = 0; pass < 2; pass++) {
      for (const u of vectors.slice(0, k)) {
        const along = dot(v, u);
        for (let d = 0; d < v.length; d++) v[d] -= along * u[d];
      }
    }
    const length = norm(v);
    for (let d = 0; d < v.length; d++) v[d] = length > 1e-30 ? v[d] / length : 0;
  }
}
