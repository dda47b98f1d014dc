import type { GapAnswer } from "../../../../src/wire/gap.js";

const width = 460;
const height = 110;
const left = 52;

/** Recall in the first place against the shift, both ways; the one that is chosen is marked. */
export function Curve({
  curve,
  chosen,
  names,
}: {
  curve: NonNullable<GapAnswer["shift_curve"]>;
  chosen: number;
  names: { a_to_b: string; b_to_a: string };
}) {
  const largest = Math.max(...curve.flatMap((at) => [at.a_to_b_at_1, at.b_to_a_at_1]));
  const most = Math.max(1, Math.ceil(10 * largest - 1e-9)) / 10;
  const toX = (i: number) => left + (i * (width - left - 8)) / (curve.length - 1);
  const toY = (share: number) => 8 + (1 - share / most) * (height - 16);
  const pathOf = (of: "a_to_b_at_1" | "b_to_a_at_1") =>
    curve.map((at, i) => `${i === 0 ? "M" : "L"}${toX(i)} ${toY(at[of])}`).join("");
  return (
    <figure>
      <svg
        viewBox={`0 0 ${width} ${height + 16}`}
        class="curve"
        role="img"
        aria-label="Shift curve"
      >
        <line class="axis" x1={left} x2={width} y1={toY(0)} y2={toY(0)} />
        <line class="chosen" x1={toX(chosen)} x2={toX(chosen)} y1={4} y2={toY(0)} />
        <path class="first" d={pathOf("a_to_b_at_1")} />
        <path class="second" d={pathOf("b_to_a_at_1")} />
        <text x={left - 6} y={toY(most) + 4} text-anchor="end">
          {Math.round(100 * most)} %
        </text>
        <text x={left - 6} y={toY(0) + 4} text-anchor="end">
          0
        </text>
        {curve.map(
          (at, i) =>
            i % 2 === 0 && (
              <text key={at.delta} x={toX(i)} y={height + 12} text-anchor="middle">
                {at.delta}
              </text>
            ),
        )}
      </svg>
      <figcaption class="row sentence">
        <span>
          <i class="line first" aria-hidden="true" />
          {names.a_to_b}
        </span>
        <span>
          <i class="line second" aria-hidden="true" />
          {names.b_to_a}
        </span>
      </figcaption>
    </figure>
  );
}
