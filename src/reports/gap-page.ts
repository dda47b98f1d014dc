import { raw } from "hono/html";
import type { Recall } from "../training/gap-recall.js";
import type { GapReport } from "../training/measure-gap.js";
import { gapPicture } from "./gap-svg.js";
import { html, type Markup } from "./markup.js";

const style = `
:root { --ink: #1c2330; --soft: #5a6475; --line: #e1e4ea; --paper: #fff; --tint: #f3f6f9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #a3adbd; --line: #333b48; --paper: #14181f; --tint: #1c222c }
}
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1.2rem; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
p, li { max-width: 46rem }
.lead { color: var(--soft); margin-top: 0 }
.verdict { background: var(--tint); border-left: 4px solid #0072b2; padding: .8rem 1.1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top }
th { font-weight: 600 } td.n { font-variant-numeric: tabular-nums; white-space: nowrap }
td.why { color: var(--soft); font-size: .92rem }
figure { margin: 1.2rem 0; overflow-x: auto }
figure svg { width: 100%; min-width: 40rem; height: auto }`;

/** The gap report as one self-contained HTML page: no script, font or picture from elsewhere. */
export function gapPage(report: GapReport): string {
  const { a, b } = report.modalities;
  const { items, sample, dimensions, paired } = report;
  const pairs = paired ? "in pairs" : "without pairs";
  const isSampled = sample.a < items.a || sample.b < items.b;
  const sampled = html`<p>Recall, uniformity, centring and the shift curve were measured on a random
 sample of ${sample.a} ${a} and ${sample.b} ${b} items.</p>`;
  const rows = figures(report).map(
    ({ name, value, meaning }) =>
      html`<tr><th>${name}</th><td class="n">${value}</td><td class="why">${meaning}</td></tr>\n`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Modality gap: ${a} and ${b}</title>
<style>${raw(style)}</style>
</head>
<body>
<h1>Modality gap: ${a} and ${b}</h1>
<p class="lead">${items.a} ${a} and ${items.b} ${b} embeddings of ${dimensions} dimensions,
 ${pairs}.</p>
<div class="verdict">${verdict(report)}</div>
<figure>${gapPicture(report)}</figure>
<h2>Figures</h2>
<table>${rows}</table>
${recallTable(report)}
${isSampled && sampled}
${advice}
</body>
</html>
`.toString();
}

interface Figure {
  name: string;
  value: string;
  meaning: string;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function figures(report: GapReport): Figure[] {
  const { a, b } = report.modalities;
  const { mean_cosine: cosine, uniformity, gap_share: share } = report;
  const four = (value: number | null) => (value === null ? "needs pairs" : value.toFixed(4));
  return [
    {
      name: "Centroid gap",
      value: four(report.centroid_gap),
      meaning: "Distance between the mean embeddings: 0 when they coincide, 2 at most.",
    },
    {
      name: "Relative modality gap",
      value: four(report.relative_modality_gap),
      meaning:
        "How far apart pairs are compared with unrelated items of one modality: 0.5 when " +
        "equally far, " +
        "towards 1 when the gap dominates.",
    },
    {
      name: "Cone",
      value: `${a} ${four(cosine.a)}, ${b} ${four(cosine.b)}`,
      meaning:
        "Mean cosine of two unrelated items of one modality: 0 when all directions are used, " +
        "near 1 " +
        "in a narrow cone.",
    },
    {
      name: "Alignment",
      value: four(report.alignment),
      meaning: "Mean squared distance of pairs; lower is closer.",
    },
    {
      name: "Uniformity",
      value: `${a} ${four(uniformity.a)}, ${b} ${four(uniformity.b)}`,
      meaning: "How evenly a modality fills the sphere; lower is more even, 0 is a single point.",
    },
    {
      name: "Linear separability",
      value: percent(report.linear_separability.held_out),
      meaning:
        "Held-out items that a plane assigns to the right modality. 100 %: the modality alone " +
        "decides on which side an item is.",
    },
    {
      name: "Dimensions that carry the gap",
      value: `2 carry ${percent(share[2])}, 10 carry ${percent(share[10])}`,
      meaning: `Of ${report.dimensions} dimensions; share of the squared gap.`,
    },
  ];
}

/**
 * One measure decides. With pairs it is the relative gap, which compares them with unrelated items
 * of one modality: the centroid distance alone says little about spread-out modalities.
 */
function headline(gap: number, relative: number | null): string {
  if (relative === null) {
    const size = gap < 0.15 ? "hardly apart" : gap < 0.5 ? "apart" : "far apart";
    return `The two modalities are ${size}.`;
  }
  if (relative < 0.45)
    return "Pairs are closer to each other than unrelated items of one modality.";
  if (relative <= 0.55) return "Pairs are as far apart as unrelated items of one modality.";
  return "The modalities are apart: pairs are further apart than unrelated items of one modality.";
}

function verdict(report: GapReport): Markup {
  const { centroid_gap: gap, centered, held_out: heldOut, recall } = report;
  const { a, b } = report.modalities;
  const { distinct, sample, relative_modality_gap: relative } = report;
  const sentences = [
    html`<strong>${headline(gap, relative)}</strong> Centroid gap ${gap.toFixed(4)},
 ${centered.centroid_gap.toFixed(4)} after centring.`,
  ];
  if (report.paired && (distinct.a < sample.a || distinct.b < sample.b)) {
    const counts =
      `${distinct.a} different rows of ${a} and ` + `${distinct.b} of ${b} among ${sample.a}`;
    const consequence = recall
      ? "equal rows count as right answers to each other"
      : "retrieval cannot be measured on one row repeated";
    sentences.push(html` There are ${counts} pairs: ${consequence}.`);
  }
  if (recall && centered.recall) {
    const [before, after] = [recall.a_to_b.at_1, centered.recall.a_to_b.at_1];
    const [low, high] = recall.a_to_b.intervals?.at_1 ?? [0, 0];
    const isWithin = Math.abs(after - before) <= (high - low) / 2;
    const change = isWithin
      ? "leaves recall unchanged"
      : after > before
        ? "raises recall"
        : "lowers recall";
    sentences.push(
      html` Centring ${change} (recall@1 from ${a} to ${b} ${before.toFixed(3)}, then
 ${after.toFixed(3)}).`,
    );
  }
  if (heldOut?.mixed_corpus) {
    const { before, centered: after } = heldOut.mixed_corpus;
    sentences.push(html` In a corpus that mixes both, a ${b} query finds its ${a} among the first
 ten in ${percent(before.at_10)} of cases, and in ${percent(after.at_10)} once centred.`);
  }
  return html`${sentences}`;
}

function recallTable({ recall, centered, modalities: { a, b } }: GapReport): Markup | undefined {
  if (!recall) return undefined;
  const row = (name: string, one: Recall) => {
    const cell = (k: "at_1" | "at_5" | "at_10") => {
      const interval = one.intervals?.[k]?.map((x) => x.toFixed(2)).join(" to ");
      const shown = interval && html` <small>(${interval})</small>`;
      return html`<td class="n">${one[k].toFixed(3)}${shown}</td>`;
    };
    return html`<tr><th>${name}</th>${cell("at_1")}${cell("at_5")}${cell("at_10")}
<td class="n">${one.median_rank}</td></tr>\n`;
  };
  const rows = (["as they are", "centred"] as const).flatMap((state) => {
    const both = state === "centred" ? centered.recall : recall;
    if (!both) return [];
    return [row(`${a} to ${b}, ${state}`, both.a_to_b), row(`${b} to ${a}, ${state}`, both.b_to_a)];
  });
  return html`<h2>Recall</h2>
<table>
<tr><th>direction</th><th>recall@1</th><th>recall@5</th><th>recall@10</th><th>median rank</th></tr>
${rows}</table>
<p class="lead">With 95 % bootstrap intervals.</p>`;
}

const advice = html`<h2>What helps</h2>
<ul>
<li><strong>Centring is safe.</strong> Subtract the mean of each modality and bring vectors back to
 unit length. The order within one modality hardly changes, and a corpus that mixes modalities
 becomes searchable: without it, items of the query's own modality fill the first ranks.</li>
<li><strong>Shifting by a constant usually hurts.</strong> Moving the modalities together along the
 gap lowers recall, because the model was trained to work across the gap. For items in pairs the
 shift curve shows it on these very embeddings. Published gains chose the best shift on the test set
 itself.</li>
<li><strong>A large gap is not a fault by itself.</strong> Recall counts similarities across
 modalities, and a constant offset moves them all alike. It matters when modalities are mixed, or
 when one threshold serves several.</li>
</ul>`;
