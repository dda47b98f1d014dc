import { raw } from "hono/html";
import type { GapReport } from "../training/measure-gap.js";
import { scatterPlot } from "./gap-scatter.js";
import { linePlot, type Series } from "./line-plot.js";
import { html, type Markup } from "./markup.js";

// Blue and vermilion of Okabe and Ito's palette: distinct with every kind of colour vision.
const style = `
.gap { --ink: #1c2330; --soft: #5a6475; --line: #d5d9e0; --paper: #fff;
  --a: #0072b2; --b: #d55e00; --c: #2f855a }
@media (prefers-color-scheme: dark) {
  .gap { --ink: #e6e9ef; --soft: #a3adbd; --line: #3a4250; --paper: #14181f;
    --a: #56b4e9; --b: #f0894a; --c: #68c694 }
}
.gap text { font: 12px system-ui, sans-serif; fill: var(--soft) }
.gap .title { font-size: 15px; font-weight: 600; fill: var(--ink) }
.gap .value { fill: var(--ink); font-variant-numeric: tabular-nums }
.gap .axis { stroke: var(--line); fill: none }
.gap .native { stroke: var(--soft); stroke-dasharray: 4 4 }
.gap .a { fill: var(--a) } .gap .b { fill: var(--b) } .gap .c { fill: var(--c) }
.gap .soft { fill: var(--soft) }
.gap .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.gap .line.a { stroke: var(--a) } .gap .line.b { stroke: var(--b) }
.gap .line.c { stroke: var(--c) }
.gap .line.a, .gap .line.b, .gap .line.c { fill: none }`;

/** The report as one picture: the embeddings, the effect of shifting, the effect of centring. */
export function gapSvg(report: GapReport): string {
  return gapPicture(report).toString();
}

/** The same picture as part of a page. */
export function gapPicture(report: GapReport): Markup {
  const { modalities, centroid_gap: gap, shift_curve: shiftCurve } = report;
  const height = shiftCurve ? 690 : 430;
  const { a, b } = modalities;
  const label = `Modality gap of ${a} and ${b}: centroid gap ${gap.toFixed(4)}`;
  const curves =
    shiftCurve && html`<g transform="translate(44 450)">${shiftPlots(shiftCurve, modalities)}</g>`;
  return html`<svg xmlns="http://www.w3.org/2000/svg" class="gap" viewBox="0 0 960 ${height}"
 role="img" aria-label="${label}">
<style>${raw(style)}</style>
<rect width="960" height="${height}" fill="var(--paper)"/>
<g transform="translate(30 34)">${scatterPlot(report.projection, modalities)}</g>
<g transform="translate(530 34)">${centringBars(report)}</g>
${curves}
</svg>`;
}

/** Before and after centring, side by side. */
function centringBars(report: GapReport): Markup {
  const rows = centringRows(report);
  const highest = Math.max(1, ...rows.flatMap(({ before, after }) => [before, after]));
  const bar = (y: number, value: number, colour: string) => {
    const width = (330 * value) / highest;
    return html`<rect class="${colour}" x="0" y="${y}" width="${width.toFixed(1)}" height="13"
 rx="2"/><text class="value" x="${(width + 8).toFixed(1)}"
 y="${y + 11}">${value.toFixed(3)}</text>`;
  };
  const pairs = rows.map(
    ({ name, before, after }, i) =>
      html`<g transform="translate(0 ${34 + 64 * i})"><text>${name}</text>
${bar(7, before, "soft")}${bar(24, after, "c")}</g>`,
  );
  return html`<text class="title">What centring does</text>
<rect class="soft" x="210" y="-10" width="11" height="11" rx="2"/><text x="226"
 y="0">as they are</text>
<rect class="c" x="305" y="-10" width="11" height="11" rx="2"/><text x="321"
 y="0">centred</text>${pairs}`;
}

interface Change {
  name: string;
  before: number;
  after: number;
}

function centringRows(report: GapReport): Change[] {
  const { recall, centered, held_out: heldOut, modalities } = report;
  const { relative_modality_gap: relativeGap } = report;
  const rows = [
    { name: "centroid gap", before: report.centroid_gap, after: centered.centroid_gap },
  ];
  if (relativeGap !== null && centered.relative_modality_gap !== null) {
    const after = centered.relative_modality_gap;
    rows.push({ name: "relative modality gap", before: relativeGap, after });
  }
  if (recall && centered.recall) {
    for (const [way, from, to] of [
      ["a_to_b", modalities.a, modalities.b],
      ["b_to_a", modalities.b, modalities.a],
    ] as const) {
      const name = `recall@1, ${from} to ${to}`;
      rows.push({ name, before: recall[way].at_1, after: centered.recall[way].at_1 });
    }
  }
  if (heldOut?.mixed_corpus) {
    const { before, centered: after } = heldOut.mixed_corpus;
    const name = "recall@10 in a mixed corpus";
    rows.push({ name, before: before.at_10, after: after.at_10 });
  }
  return rows;
}

type ShiftCurve = NonNullable<GapReport["shift_curve"]>;

function shiftPlots(curve: ShiftCurve, { a, b }: GapReport["modalities"]): Markup {
  const loss = (temperature: "0.01" | "0.1" | "1") =>
    curve.map((point) => point.losses[temperature]);
  const recalls: Series[] = [
    { colour: "a", name: `from ${a}`, values: curve.map((point) => point.a_to_b_at_1) },
    { colour: "b", name: `from ${b}`, values: curve.map((point) => point.b_to_a_at_1) },
  ];
  const losses: Series[] = [
    { colour: "c", name: "at 0.01", values: loss("0.01") },
    { colour: "a", name: "at 0.1", values: loss("0.1") },
    { colour: "b", name: "at 1", values: loss("1") },
  ];
  const axis = {
    values: curve.map(({ distance }) => distance),
    marked: curve.find(({ delta }) => delta === 0)?.distance ?? 0,
  };
  return html`${linePlot("Recall@1 when the gap is shifted", axis, recalls)}
<g transform="translate(500 0)">${linePlot("Contrastive loss by temperature", axis, losses)}</g>`;
}
