import { escapeXml, gapSvg } from "./gap-svg.js";
import type { GapReport, Recall } from "./measure-gap.js";

/** The gap report as one self-contained HTML page: no script, no font, no picture from elsewhere. */
export function gapPage(report: GapReport): string {
  const a = escapeXml(report.modalities.a);
  const b = escapeXml(report.modalities.b);
  const four = (value: number | null) => (value === null ? "needs pairs" : value.toFixed(4));
  const facts: [string, string, string][] = [
    [
      "Centroid gap",
      four(report.centroid_gap),
      "Distance between the mean embeddings. 0: the two lie around one point; 2 at most.",
    ],
    [
      "Relative modality gap",
      four(report.relative_modality_gap),
      "How far pairs are apart against strangers of one modality: 0.5 when alike, towards 1 when the gap rules.",
    ],
    [
      "Cone",
      `${a} ${four(report.mean_cosine.a)}, ${b} ${four(report.mean_cosine.b)}`,
      "Mean cosine of two strangers of one modality. 0: all directions are used; near 1: a narrow cone.",
    ],
    ["Alignment", four(report.alignment), "Mean squared distance of pairs; lower is closer."],
    [
      "Uniformity",
      `${a} ${four(report.uniformity.a)}, ${b} ${four(report.uniformity.b)}`,
      "How evenly a modality fills the sphere; lower is more even, 0 is a single point.",
    ],
    [
      "Linear separability",
      percent(report.linear_separability.held_out),
      "Held-out items told apart by one plane. 100 %: the modality alone decides on which side an item lies.",
    ],
    [
      "Dimensions that carry the gap",
      `2 carry ${percent(report.gap_share[2])}, 10 carry ${percent(report.gap_share[10])}`,
      `Of ${report.dimensions} dimensions; share of the squared gap.`,
    ],
  ];
  const sampled =
    report.sample.a < report.items.a || report.sample.b < report.items.b
      ? `<p>Recall, uniformity, centring and the shift curve were measured on a random sample of ${report.sample.a} ${a} and ${report.sample.b} ${b} items.</p>`
      : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Modality gap: ${a} and ${b}</title>
<style>
:root { --ink: #1c2330; --soft: #5a6475; --line: #e1e4ea; --paper: #fff; --tint: #f3f6f9 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #a3adbd; --line: #333b48; --paper: #14181f; --tint: #1c222c } }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin-top: 2.2rem } p, li { max-width: 46rem }
.lead { color: var(--soft); margin-top: 0 } .verdict { background: var(--tint); border-left: 4px solid #0072b2; padding: .8rem 1.1rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600 } td.n { font-variant-numeric: tabular-nums; white-space: nowrap } td.why { color: var(--soft); font-size: .92rem }
figure { margin: 1.2rem 0; overflow-x: auto } figure svg { width: 100%; min-width: 40rem; height: auto }
</style>
</head>
<body>
<h1>Modality gap: ${a} and ${b}</h1>
<p class="lead">${report.items.a} ${a} and ${report.items.b} ${b} embeddings of ${report.dimensions} dimensions, ${report.paired ? "in pairs" : "without pairs"}.</p>
<div class="verdict">${verdict(report, a, b)}</div>
<figure>${gapSvg(report)}</figure>
<h2>Figures</h2>
<table>${facts.map(([name, value, why]) => `<tr><th>${name}</th><td class="n">${value}</td><td class="why">${why}</td></tr>`).join("\n")}</table>
${report.recall ? recallTable(report, a, b) : ""}
${sampled}
<h2>What helps</h2>
<ul>
<li><strong>Centring is safe.</strong> Subtract the mean of each modality and bring vectors back to unit length. Order within one modality hardly changes, and a corpus that mixes modalities becomes searchable: without it, items of the query's own modality fill the first ranks.</li>
<li><strong>Shifting by a constant usually hurts.</strong> Moving the modalities together along the gap lowers recall, because the model was trained to work across the gap. For items in pairs the shift curve shows it on these very embeddings. Published gains chose the best shift on the test set itself.</li>
<li><strong>A large gap is no fault by itself.</strong> Recall counts similarities across modalities, and a constant offset moves them all alike. It matters when modalities are mixed, or when one threshold serves several.</li>
</ul>
</body>
</html>
`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function verdict(report: GapReport, a: string, b: string): string {
  const { centroid_gap: gap, centered, held_out: heldOut, recall } = report;
  const size = gap < 0.15 ? "hardly apart" : gap < 0.5 ? "apart" : "far apart";
  let text = `<strong>The two modalities lie ${size}</strong>: centroid gap ${gap.toFixed(4)}, ${centered.centroid_gap.toFixed(4)} after centring.`;
  if (recall && centered.recall) {
    const change = centered.recall.a_to_b.at_1 - recall.a_to_b.at_1;
    const [low, high] = recall.a_to_b.intervals?.at_1 ?? [0, 0];
    const within = Math.abs(change) <= (high - low) / 2;
    text += ` Centring ${within ? "leaves recall where it was" : change > 0 ? "raises recall" : "lowers recall"} (recall@1 from ${a} to ${b} ${recall.a_to_b.at_1.toFixed(3)}, then ${centered.recall.a_to_b.at_1.toFixed(3)}).`;
  }
  if (heldOut?.mixed_corpus) {
    const { before, centered: after } = heldOut.mixed_corpus;
    text += ` In a corpus that mixes both, a ${b} query finds its ${a} among the first ten in ${percent(before.at_10)} of cases, and in ${percent(after.at_10)} once centred.`;
  }
  return text;
}

function recallTable({ recall, centered }: GapReport, a: string, b: string): string {
  const row = (name: string, one: Recall) => {
    const cell = (k: "at_1" | "at_5" | "at_10") => {
      const interval = one.intervals?.[k];
      return `<td class="n">${one[k].toFixed(3)}${interval ? ` <small>(${interval.map((x) => x.toFixed(2)).join(" to ")})</small>` : ""}</td>`;
    };
    return `<tr><th>${name}</th>${cell("at_1")}${cell("at_5")}${cell("at_10")}<td class="n">${one.median_rank}</td></tr>`;
  };
  const rows: string[] = [];
  for (const [state, both] of [
    ["as they are", recall],
    ["centred", centered.recall],
  ] as const) {
    if (both)
      rows.push(
        row(`${a} to ${b}, ${state}`, both.a_to_b),
        row(`${b} to ${a}, ${state}`, both.b_to_a),
      );
  }
  return `<h2>Recall</h2>
<table><tr><th>direction</th><th>recall@1</th><th>recall@5</th><th>recall@10</th><th>median rank</th></tr>${rows.join("\n")}</table>
<p class="lead">With 95 % bootstrap intervals.</p>`;
}
