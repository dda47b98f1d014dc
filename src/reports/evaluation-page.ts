import { raw } from "hono/html";
import type { Comparison, Evaluation, Figure } from "../evaluation/evaluate.js";
import type { ReliabilityBin } from "../math/reliability.js";
import { html, type Markup } from "./markup.js";

export interface EvaluationReport extends Evaluation {
  /** Who answered. */
  title: string;
  comparison: (Comparison & { with: string }) | null;
}

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2330; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } .wide { overflow-x: auto }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #e3e6ec }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums }
.confusion td { text-align: center; padding: .2rem .45rem; border: 1px solid #fff }
.confusion th { font-weight: 400; font-size: .85rem; border: 0 }
.down { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9rem }
.verdict { padding: .7rem 1rem; border-left: 4px solid #9aa3b2; background: #f5f6f8 }
figure { margin: 1rem 0; max-width: 26rem } svg { width: 100%; height: auto }
figcaption { color: #5a6475 }`;

/** Most labels in the page's confusion table; the JSON has all. */
const maxConfusionLabels = 40;

/** An evaluation as one self-contained HTML page: no script, font or picture from elsewhere. */
export function evaluationPage(report: EvaluationReport): string {
  const { items, labels, title, comparison } = report;
  const rows = figuresOf(report).map(
    ([name, value]) => html`<tr><th>${name}</th><td class="n">${value}</td></tr>\n`,
  );
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evaluation of ${title}</title>
<style>${raw(style)}</style>
<h1>Evaluation of ${title}</h1>
<p>${items.known} items of ${labels.length} labels\
${items.unknown > 0 && `, ${items.unknown} unknown`};
 ${items.groups} groups, drawn whole for the 95 % intervals.</p>
${comparison && comparisonText(comparison)}
<h2>Figures</h2>
<table>${rows}</table>
<h2>Is a score the probability of being right?</h2>
${reliabilityPlot(report.calibration.bins)}
<h2>By label</h2>
${classTable(report)}
${labels.length <= maxConfusionLabels && confusionTable(report)}
</html>
`.toString();
}

const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
const withInterval = ({ value, interval }: Figure) =>
  `${percent(value)} (${interval.map(percent).join(" to ")})`;

function figuresOf(report: EvaluationReport): [string, string][] {
  const { accuracy, macro, calibration, retrieval, known_unknown: both } = report;
  const three = ({ value, interval }: Figure) =>
    `${value.toFixed(3)} (${interval.map((x) => x.toFixed(3)).join(" to ")})`;
  const figures: [string, string][] = [
    ["Accuracy", withInterval(accuracy)],
    ["Precision, mean over labels", withInterval(macro.precision)],
    ["Recall, mean over labels", withInterval(macro.recall)],
    ["F1, mean over labels", withInterval(macro.f1)],
    ["Calibration error (ECE)", three(calibration.ece)],
    ["Mean confidence", percent(calibration.mean_confidence)],
  ];
  const ways = {
    "Label of an item": retrieval.item_to_label,
    "Item of a label": retrieval.label_to_item,
  };
  for (const [name, { at_1, at_5, at_10, mean_reciprocal_rank }] of Object.entries(ways)) {
    figures.push([`${name}: recall at 1, 5, 10`, [at_1, at_5, at_10].map(percent).join(", ")]);
    figures.push([`${name}: mean reciprocal rank`, mean_reciprocal_rank.toFixed(3)]);
  }
  if (both === null) return figures;
  figures.push(["Known against unknown (AUROC)", three(both.auroc)]);
  if (both.false_alarms !== null)
    figures.push(["Unknown accepted", withInterval(both.false_alarms)]);
  if (both.accepted !== null) figures.push(["Known accepted", withInterval(both.accepted)]);
  return figures;
}

function comparisonText({
  with: other,
  accuracy,
  ...counts
}: NonNullable<EvaluationReport["comparison"]>): Markup {
  const { difference } = accuracy;
  const [low, high] = difference.interval;
  const says = low > 0 ? "is better" : high < 0 ? "is worse" : "is not shown to differ";
  return html`<p class="verdict"><strong>${other} ${says}.</strong>
 Accuracy ${percent(accuracy.first)} against ${percent(accuracy.second)}: a difference of
 ${withInterval(difference)} on the same items. Right alone: here ${counts.only_first} times, there
 ${counts.only_second} times (McNemar, exact p = ${counts.p_value.toPrecision(2)}).</p>`;
}

/** Accuracy over confidence, by bin; the area of a point is its share of the items. */
function reliabilityPlot(bins: readonly ReliabilityBin[]): Markup {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  const [x, y] = [(value: number) => 40 + 300 * value, (value: number) => 320 - 300 * value];
  const points = bins.flatMap(({ count, confidence, accuracy }) => {
    if (confidence === null || accuracy === null) return [];
    const radius = (2 + 18 * Math.sqrt(count / total)).toFixed(1);
    return [
      html`<circle cx="${x(confidence).toFixed(1)}" cy="${y(accuracy).toFixed(1)}" r="${radius}"
 fill="#2a62b8" fill-opacity=".55"><title>${count} items: confidence ${percent(confidence)},
 right ${percent(accuracy)}</title></circle>\n`,
    ];
  });
  const ticks = [0, 0.5, 1].map(
    (
      value,
    ) => html`<text x="${x(value)}" y="338" text-anchor="middle" font-size="11">${value}</text>
<text x="34" y="${y(value) + 4}" text-anchor="end" font-size="11">${value}</text>\n`,
  );
  return html`<figure><svg viewBox="0 0 360 345" role="img" aria-label="Accuracy by confidence">
<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="#c3c9d4" stroke-dasharray="4"/>
<path d="M${x(0)} ${y(1)}V${y(0)}H${x(1)}" fill="none" stroke="#c3c9d4"/>
${ticks}${points}</svg>
<figcaption>Share of right answers (up) by the score of the answer (across), in fifteen bins; the
area of a point is its share of the items. On the dashed line a score means what it says; below it,
scores promise too much.</figcaption></figure>`;
}

function classTable({ per_class }: Evaluation): Markup {
  const rows = per_class.map(
    ({ label, support, precision, recall, f1 }) =>
      html`<tr><td>${label}</td><td class="n">${support}</td>
${[precision, recall, f1].map((value) => html`<td class="n">${percent(value)}</td>`)}</tr>\n`,
  );
  return html`<table>
<tr><th>label</th><th class="n">items</th><th class="n">precision</th><th class="n">recall</th>
<th class="n">F1</th></tr>
${rows}</table>`;
}

function confusionTable({ labels, confusion }: Evaluation): Markup {
  const head = labels.map((label) => html`<th><span class="down">${label}</span></th>`);
  const rows = confusion.map((counts, i) => {
    const total = Math.max(
      1,
      counts.reduce((sum, count) => sum + count, 0),
    );
    const cells = counts.map((count, j) => {
      const colour = i === j ? "26,138,76" : "179,38,30";
      return html`<td style="background:rgba(${colour},${((0.8 * count) / total).toFixed(2)})">
${count > 0 && count}</td>`;
    });
    return html`<tr><th>${labels[i]}</th>${cells}</tr>\n`;
  });
  return html`<h2>Confusions</h2>
<div class="wide"><table class="confusion">
<tr><th></th>${head}</tr>
${rows}</table></div>
<p>A row for each label, a column for each answer.</p>`;
}
