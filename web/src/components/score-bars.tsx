import type { Modality } from "../../../src/encoders/encoder.js";

/** Labels with their scores, best first, in the colour of the scored modality. */
export function ScoreBars({
  scores,
  modality,
  hasBest = true,
  isStale = false,
}: {
  scores: readonly { label: string; score: number }[];
  modality: Modality;
  /** Whether the first is the answer, and not only the nearest. */
  hasBest?: boolean;
  /** Another answer is being loaded. */
  isStale?: boolean;
}) {
  return (
    <ol class={`bars ${modality} ${isStale ? "stale" : ""}`}>
      {scores.map(({ label, score }, i) => (
        <li key={label} class={i === 0 && hasBest ? "best" : undefined}>
          <span class="label" title={label}>
            {label}
          </span>
          <span class="bar" aria-hidden="true">
            <i style={{ width: `${(100 * score).toFixed(1)}%` }} />
          </span>
          <span class="score">{score.toFixed(3)}</span>
        </li>
      ))}
    </ol>
  );
}
