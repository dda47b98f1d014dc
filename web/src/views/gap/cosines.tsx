import type { GapAnswer } from "../../../../src/wire/gap.js";
import { ticksOf } from "./words.js";

const width = 460;
const height = 90;

/** Cosines of pairs and of everything else, each to its own height. */
export function Cosines({ cosines }: { cosines: NonNullable<GapAnswer["pair_cosines"]> }) {
  const { low, high, pairs, others, mean_pairs, mean_others } = cosines;
  const toX = (cosine: number) => (width * (cosine - low)) / (high - low || 1);
  return (
    <figure>
      <svg
        viewBox={`0 0 ${width} ${height + 18}`}
        class="cosines"
        role="img"
        aria-label="Similarities"
      >
        <path class="others" d={stepsOf(others)} />
        <path class="pairs" d={stepsOf(pairs)} />
        <line x1={0} x2={width} y1={height} y2={height} />
        {ticksOf(low, high).map((tick) => (
          <text
            key={tick}
            x={Math.max(10, Math.min(width - 10, toX(tick)))}
            y={height + 14}
            text-anchor="middle"
          >
            {tick}
          </text>
        ))}
      </svg>
      <figcaption class="row sentence">
        <span>
          <i class="square inline pairs" aria-hidden="true" />
          pairs, mean {mean_pairs.toFixed(2)}
        </span>
        <span>
          <i class="square inline others" aria-hidden="true" />
          others, mean {mean_others.toFixed(2)}
        </span>
      </figcaption>
    </figure>
  );
}

/** Each to its own height: there are N pairs and N² - N others. */
function stepsOf(counts: readonly number[]): string {
  const most = Math.max(1, ...counts);
  const step = width / counts.length;
  const tops = counts.map((count, i) => {
    const y = height - (count / most) * (height - 4);
    return `L${i * step} ${y}L${(i + 1) * step} ${y}`;
  });
  return `M0 ${height}${tops.join("")}L${width} ${height}Z`;
}
