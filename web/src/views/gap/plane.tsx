import { useMemo } from "preact/hooks";
import type { GapAnswer } from "../../../../src/wire/gap.js";

type Point = readonly [number, number];
type Side = "a" | "b";

const width = 600;
const height = 400;
const margin = 24;
const maxLines = 60;

/**
 * Both modalities in the plane of their largest variance, with their centroids, the gap between
 * them and lines between some pairs.
 *
 * @param delta  how far the sides are moved along the gap: a by -delta / 2, b by delta / 2.
 */
export function Plane({ report, delta }: { report: GapAnswer; delta: number }) {
  const { projection, modalities, paired } = report;
  const scene = useMemo(() => sceneOf(report), [report]);
  const shift = (side: Side): Point => {
    const sign = side === "a" ? -0.5 : 0.5;
    return [sign * delta * scene.unit[0], sign * delta * scene.unit[1]];
  };
  const moved = (side: Side, [x, y]: Point): Point => [x + shift(side)[0], y + shift(side)[1]];
  const { toX, toY } = scene;
  const translate = (side: Side) =>
    `translate(${toX(shift(side)[0]) - toX(0)} ${toY(shift(side)[1]) - toY(0)})`;
  const centres = { a: moved("a", scene.centres.a), b: moved("b", scene.centres.b) };
  const line = (from: Point, to: Point) => ({
    x1: toX(from[0]),
    y1: toY(from[1]),
    x2: toX(to[0]),
    y2: toY(to[1]),
  });
  const label =
    `${modalities.a} and ${modalities.b} in the plane, gap ` + `${report.centroid_gap.toFixed(3)}`;
  return (
    <svg class="plane" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {paired && projection.a && projection.b && (
        <g class="pair-lines">
          {scene.lines.map((i) => (
            <line key={i} {...line(moved("a", projection.a![i]), moved("b", projection.b![i]))} />
          ))}
        </g>
      )}
      {(["a", "b"] as const).map((side) => (
        <g key={side} class={`points ${modalities[side]}`} transform={translate(side)}>
          {scene.marks[side]}
        </g>
      ))}
      <line class="gap-vector" {...line(centres.a, centres.b)} />
      {(["a", "b"] as const).map((side) => (
        <g key={side} class={`centre ${modalities[side]}`}>
          <circle cx={toX(centres[side][0])} cy={toY(centres[side][1])} r={6} />
          <text x={toX(centres[side][0])} y={toY(centres[side][1]) - 12} text-anchor="middle">
            {names[modalities[side]] ?? modalities[side]}
          </text>
        </g>
      ))}
    </svg>
  );
}

const names: Record<string, string> = { image: "pictures", audio: "sounds", text: "texts" };

/** Everything that does not move with the slider. */
function sceneOf({ projection, centroid_gap: gap }: GapAnswer) {
  const { a, b, density } = projection;
  const points = (side: Side): readonly Point[] => (side === "a" ? a : b) ?? cellsOf(density, side);
  const all = [...points("a"), ...points("b")];
  const xs = all.map(([x]) => x);
  const ys = all.map(([, y]) => y);
  const [left, right] = [least(xs), largest(xs)];
  const [bottom, top] = [least(ys), largest(ys)];
  // One scale for both axes, so that distances can be compared.
  const scale = Math.min(
    (width - 2 * margin) / (right - left || 1),
    (height - 2 * margin) / (top - bottom || 1),
  );
  const toX = (x: number) => width / 2 + (x - (left + right) / 2) * scale;
  const toY = (y: number) => height / 2 - (y - (bottom + top) / 2) * scale;
  const centres = { a: centreOf("a"), b: centreOf("b") };
  function centreOf(side: Side): Point {
    const counts = density?.[side].filter((count) => count > 0);
    const weights = a === undefined && counts ? counts : points(side).map(() => 1);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const meanOf = (axis: 0 | 1) =>
      points(side).reduce((total, point, i) => total + weights[i] * point[axis], 0) / sum;
    return [meanOf(0), meanOf(1)];
  }
  // The unit gap vector as it is seen in the plane: shorter than one where it leaves the plane.
  const length = gap || 1;
  const unit: Point = [
    (centres.a[0] - centres.b[0]) / length,
    (centres.a[1] - centres.b[1]) / length,
  ];
  const marks = (side: Side) => {
    const counts = density?.[side].filter((count) => count > 0);
    const most = Math.max(1, ...(counts ?? []));
    return points(side).map(([x, y], i) => {
      const r = a === undefined && counts ? 1 + 4 * Math.sqrt(counts[i] / most) : 2.4;
      return <circle key={i} cx={toX(x)} cy={toY(y)} r={r} />;
    });
  };
  const count = a?.length ?? 0;
  const step = Math.max(1, Math.ceil(count / maxLines));
  const lines = Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
  return { toX, toY, centres, unit, lines, marks: { a: marks("a"), b: marks("b") } };
}

/** The middles of the cells that hold something. */
function cellsOf(density: GapAnswer["projection"]["density"], side: Side): Point[] {
  if (density === undefined) return [];
  const { bins, x, y } = density;
  return density[side].flatMap((count, i): Point[] => {
    if (count === 0) return [];
    const at = ([low, high]: readonly number[], bin: number) =>
      low + ((bin + 0.5) * (high - low)) / bins;
    return [[at(x, i % bins), at(y, Math.floor(i / bins))]];
  });
}

const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
const largest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity);
