import { principalAxes } from "../math/principal-axes.js";
import { concat, meanRow, type Rows } from "../math/rows.js";
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
