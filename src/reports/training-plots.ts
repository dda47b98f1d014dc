import type { EpochRecord } from "../training/checkpoint.js";
import type { Measures } from "../training/run-measures.js";
import { html, type Markup } from "./markup.js";

/** `a_to_b_recall_at_1` is "a to b recall@1". */
export const spokenName = (name: string) => name.replaceAll("_", " ").replace(/ at (\d+)$/, "@$1");

/** Three decimals, none from 100 on. */
export const shortNumber = (x: number) => (Math.abs(x) >= 100 ? x.toFixed(0) : x.toFixed(3));

const colourOf = {
  better: "#1a8a4c",
  worse: "#b3261e",
  unclear: "#7a8496",
  higher: "#7a8496",
  lower: "#7a8496",
};

/** The changes of the measures in [0, 1], with their intervals. */
export function changePlot(measures: Measures): Markup {
  const shown = Object.entries(measures).filter(([name]) =>
    /recall|reciprocal|accuracy/.test(name),
  );
  const limit = Math.max(0.05, ...shown.flatMap(([, { interval }]) => interval.map(Math.abs)));
  const x = (value: number) => 460 + (value / limit) * 230;
  const height = 30 + 24 * shown.length;
  const bars = shown.map(([name, { change, interval, says }], i) => {
    const y = 26 + 24 * i;
    const colour = colourOf[says];
    return html`<text x="215" y="${y + 4}" text-anchor="end"
 font-size="13">${spokenName(name)}</text>
<line x1="${x(interval[0])}" x2="${x(interval[1])}" y1="${y}" y2="${y}" stroke="${colour}"
 stroke-width="3"/>
<circle cx="${x(change)}" cy="${y}" r="5" fill="${colour}"/>\n`;
  });
  const end = limit.toFixed(2);
  return html`<figure>
<svg viewBox="0 0 700 ${height}" role="img" aria-label="Change of each measure with its interval">
<line x1="460" x2="460" y1="14" y2="${height}" stroke="#c3c9d4"/>
<text x="460" y="11" text-anchor="middle" font-size="11">0</text>
<text x="690" y="11" text-anchor="end" font-size="11">+${end}</text>
<text x="230" y="11" font-size="11">-${end}</text>
${bars}</svg>
<figcaption>Change after training, with 95 % bootstrap intervals.</figcaption></figure>`;
}

const trainColour = "#2a62b8";
const validationColour = "#c77700";

/** Training and validation loss by epoch; a dashed line marks the epoch that was kept. */
export function lossPlot(epochs: readonly EpochRecord[], bestEpoch: number): Markup {
  const losses = epochs.flatMap(({ trainLoss, validationLoss = trainLoss }) => [
    trainLoss,
    validationLoss,
  ]);
  const low = Math.min(...losses);
  const high = Math.max(...losses, low + 1e-9);
  const x = (epoch: number) => 50 + (640 * (epoch - 1)) / Math.max(1, epochs.length - 1);
  const y = (loss: number) => 190 - (175 * (loss - low)) / (high - low);
  const line = (lossOf: (record: EpochRecord) => number | undefined, colour: string) => {
    const points = epochs.flatMap((record) => {
      const loss = lossOf(record);
      return loss === undefined ? [] : [`${x(record.epoch).toFixed(1)},${y(loss).toFixed(1)}`];
    });
    return html`<polyline points="${points.join(" ")}" fill="none" stroke="${colour}"
 stroke-width="2"/>`;
  };
  const kept = x(bestEpoch);
  const best = html`<line x1="${kept}" x2="${kept}" y1="15" y2="190" stroke="#c3c9d4"
 stroke-dasharray="4"/>`;
  return html`<figure><svg viewBox="0 0 700 215" role="img" aria-label="Loss by epoch">
<line x1="50" x2="690" y1="190" y2="190" stroke="#c3c9d4"/>
<line x1="50" x2="50" y1="15" y2="190" stroke="#c3c9d4"/>
<text x="45" y="20" text-anchor="end" font-size="11">${shortNumber(high)}</text>
<text x="45" y="190" text-anchor="end" font-size="11">${shortNumber(low)}</text>
<text x="50" y="207" font-size="11">1</text>
<text x="690" y="207" text-anchor="end" font-size="11">${epochs.length}</text>
${bestEpoch > 0 && best}
${line((record) => record.trainLoss, trainColour)}
${line((record) => record.validationLoss, validationColour)}
</svg><figcaption>Loss by epoch: <span style="color:${trainColour}">training</span>,
<span style="color:${validationColour}">validation</span>; the dashed line marks the epoch that was
kept.</figcaption></figure>`;
}
