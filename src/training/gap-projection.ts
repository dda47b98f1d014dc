import { seededRandom } from "../math/random.js";
import { concat, meanRow, type Rows } from "../math/rows.js";
import { dot, norm } from "../math/vector.js";
import type { Sides } from "./held-out-gap.js";

/** A picture of both sides in the plane of largest variance. */
export interface Projection {
  /** Share of the variance that each axis shows. */
  explained: [number, number];
  /** [N, 2] each; absent when a density is given instead. */
  a?: [number, number][];
  b?: [number, number][];
  density?: {
    bins: number;
    x: [number, number];
    y: [number, number];
    /** Counts, bins x bins, row by row from the lowest y. */
    a: number[];
    b: number[];
  };
}

/** Above this many points the picture holds counts on a grid instead. */
const maxPoints = 5000;
const bins = 48;

/**
 * Principal components of both sides together, by orthogonal iteration on a sample of each side;
 * all rows are then projected. The larger coordinate of each axis is positive, so that pictures do
 * not flip.
 */
export function projectGap({ a, b }: Sides, sample: Sides): Projection {
  const { dimensions } = a;
  const fit = concat([sample.a, sample.b]);
  const mean = meanRow(fit);
  const { axes, explained } = principalAxes(fit, mean);
  const project = ({ values }: Rows) =>
    Array.from({ length: values.length / dimensions }, (_, i): [number, number] => {
      const at = (axis: Float64Array) => {
        let sum = 0;
        for (let d = 0; d < dimensions; d++)
          sum += (values[i * dimensions + d] - mean[d]) * axis[d];
        return sum;
      };
      return [at(axes[0]), at(axes[1])];
    });
  const [pa, pb] = [project(a), project(b)];
  if (pa.length + pb.length <= maxPoints) return { explained, a: pa, b: pb };
  const x = rangeOf(pa, pb, 0);
  const y = rangeOf(pa, pb, 1);
  return { explained, density: { bins, x, y, a: counts(pa, x, y), b: counts(pb, x, y) } };
}

function principalAxes({ values, dimensions }: Rows, mean: Float64Array) {
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

function rangeOf(a: [number, number][], b: [number, number][], axis: 0 | 1): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const points of [a, b]) {
    for (const point of points) {
      low = Math.min(low, point[axis]);
      high = Math.max(high, point[axis]);
    }
  }
  return [low, high];
}

function counts(points: [number, number][], x: [number, number], y: [number, number]): number[] {
  const result = new Array<number>(bins * bins).fill(0);
  const bin = (value: number, [low, high]: [number, number]) =>
    Math.min(bins - 1, Math.floor(((value - low) / (high - low || 1)) * bins));
  for (const [px, py] of points) result[bin(py, y) * bins + bin(px, x)]++;
  return result;
}
