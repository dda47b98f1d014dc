import type { EpochRecord } from "./checkpoint.js";
import type { Measure, Measures } from "./run-measures.js";
import type { RunReport } from "./run-report.js";
import type { ScreeningReport } from "./screening.js";

/** A training report as one self-contained HTML page: no script, no font, no picture from elsewhere. */
export function reportPage(report: RunReport, title: string): string {
  const { data, options, verdict } = report;
  const facts: [string, string | number][] = [
    ["Pairs", `${data.train} train, ${data.validation} validation, ${data.test} test`],
    ...(data.labels === undefined ? [] : [["Labels", data.labels] as [string, number]]),
    ["Heads", `a: ${report.heads.a}, b: ${report.heads.b}`],
    ["Loss", options.loss],
    [
      "Epochs",
      `${report.epochs.length}, kept: ${report.bestEpoch}, stopped by ${report.stoppedBy}`,
    ],
    ["Learning rate", options.learningRate],
    ["Batch size", options.batchSize],
    ["Weight decay", `${options.weightDecay} towards ${options.decayTowards}`],
    ["Mixup", options.mixup],
    ["Seed", options.seed],
    ["Data (sha256)", data.sha256],
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; color: #1c2330; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #e3e6ec }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums } td { overflow-wrap: anywhere }
.verdict { padding: .7rem 1rem; border-left: 4px solid #9aa3b2; background: #f5f6f8 } .improved { border-color: #1a8a4c }
.better { color: #12713d } .worse { color: #b3261e } figure { margin: 1rem 0 } svg { width: 100%; height: auto } figcaption { color: #5a6475 }
</style>
<h1>${escapeHtml(title)}</h1>
<p class="verdict${verdict.improved ? " improved" : ""}"><strong>${verdict.improved ? "Improved" : "Not improved"}.</strong> ${escapeHtml(verdict.reason)}</p>
<h2>On pairs kept aside</h2>
${measureTable(report.measures)}
${changePlot(report.measures)}
${report.forgetting ? `<h2>On the probe set</h2>\n${measureTable(report.forgetting)}` : ""}
${report.screening ? screeningTable(report.screening) : ""}
<h2>Training</h2>
${lossPlot(report.epochs, report.bestEpoch)}
<h2>The run</h2>
<table>${facts.map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(String(value))}</td></tr>`).join("\n")}</table>
</html>
`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

/** Findings shown at most; the JSON has more. */
const shownFindings = 50;

function screeningTable({ counts, findings, excluded }: ScreeningReport): string {
  const found = Object.entries(counts).map(([kind, count]) => `${count} ${words(kind)}`);
  const rows = findings.slice(0, shownFindings).map(({ kind, score, pairs, ids }) => {
    const which = (ids ?? pairs).slice(0, 10).join(", ");
    return `<tr><td>${escapeHtml(words(kind))}</td><td class="n">${digits(score)}</td><td>${escapeHtml(which)}</td></tr>`;
  });
  const table = `<table>\n<tr><th>What</th><th class="n">Score</th><th>Pairs</th></tr>\n${rows.join("\n")}\n</table>`;
  return `<h2>Suspicious pairs</h2>
<p>${escapeHtml(found.join(", ") || "none")}; ${excluded.length} left out.</p>
${rows.length > 0 ? table : ""}`;
}

const words = (name: string) => name.replaceAll("_", " ").replace(/ at (\d+)$/, "@$1");
const digits = (x: number) => (Math.abs(x) >= 100 ? x.toFixed(0) : x.toFixed(3));

function measureTable(measures: Measures): string {
  const row = ([name, m]: [string, Measure]) =>
    `<tr><td>${escapeHtml(words(name))}</td><td class="n">${digits(m.before)}</td><td class="n">${digits(m.after)}</td>` +
    `<td class="n">${digits(m.interval[0])} to ${digits(m.interval[1])}</td><td class="${m.says}">${m.says}</td></tr>`;
  return `<table>
<tr><th>measure</th><th class="n">before</th><th class="n">after</th><th class="n">change, 95 % interval</th><th></th></tr>
${Object.entries(measures).map(row).join("\n")}
</table>`;
}

/** The changes of the measures that lie in [0, 1], with their intervals. */
function changePlot(measures: Measures): string {
  const shown = Object.entries(measures).filter(([name]) =>
    /recall|reciprocal|accuracy/.test(name),
  );
  const limit = Math.max(0.05, ...shown.flatMap(([, { interval }]) => interval.map(Math.abs)));
  const x = (value: number) => 460 + (value / limit) * 230;
  const height = 30 + 24 * shown.length;
  const bars = shown.map(([name, { change, interval, says }], i) => {
    const y = 26 + 24 * i;
    const color = says === "better" ? "#1a8a4c" : says === "worse" ? "#b3261e" : "#7a8496";
    return (
      `<text x="215" y="${y + 4}" text-anchor="end" font-size="13">${escapeHtml(words(name))}</text>` +
      `<line x1="${x(interval[0])}" x2="${x(interval[1])}" y1="${y}" y2="${y}" stroke="${color}" stroke-width="3"/>` +
      `<circle cx="${x(change)}" cy="${y}" r="5" fill="${color}"/>`
    );
  });
  return `<figure><svg viewBox="0 0 700 ${height}" role="img" aria-label="Change of each measure with its interval">
<line x1="460" x2="460" y1="14" y2="${height}" stroke="#c3c9d4"/>
<text x="460" y="11" text-anchor="middle" font-size="11">0</text><text x="690" y="11" text-anchor="end" font-size="11">+${limit.toFixed(2)}</text><text x="230" y="11" font-size="11">-${limit.toFixed(2)}</text>
${bars.join("\n")}
</svg><figcaption>Change after training, with 95 % bootstrap intervals.</figcaption></figure>`;
}

function lossPlot(epochs: readonly EpochRecord[], bestEpoch: number): string {
  const losses = epochs.flatMap(({ trainLoss, validationLoss }) => [
    trainLoss,
    validationLoss ?? trainLoss,
  ]);
  const low = Math.min(...losses);
  const high = Math.max(...losses, low + 1e-9);
  const x = (epoch: number) => 50 + (640 * (epoch - 1)) / Math.max(1, epochs.length - 1);
  const y = (loss: number) => 190 - (175 * (loss - low)) / (high - low);
  const line = (of: (record: EpochRecord) => number | undefined, color: string) => {
    const points = epochs.flatMap((record) => {
      const loss = of(record);
      return loss === undefined ? [] : [`${x(record.epoch).toFixed(1)},${y(loss).toFixed(1)}`];
    });
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${color}" stroke-width="2"/>`;
  };
  const best =
    bestEpoch > 0
      ? `<line x1="${x(bestEpoch)}" x2="${x(bestEpoch)}" y1="15" y2="190" stroke="#c3c9d4" stroke-dasharray="4"/>`
      : "";
  return `<figure><svg viewBox="0 0 700 215" role="img" aria-label="Loss by epoch">
<line x1="50" x2="690" y1="190" y2="190" stroke="#c3c9d4"/><line x1="50" x2="50" y1="15" y2="190" stroke="#c3c9d4"/>
<text x="45" y="20" text-anchor="end" font-size="11">${digits(high)}</text><text x="45" y="190" text-anchor="end" font-size="11">${digits(low)}</text>
<text x="50" y="207" font-size="11">1</text><text x="690" y="207" text-anchor="end" font-size="11">${epochs.length}</text>
${best}${line((record) => record.trainLoss, "#2a62b8")}${line((record) => record.validationLoss, "#c77700")}
</svg><figcaption>Loss by epoch: <span style="color:#2a62b8">training</span>, <span style="color:#c77700">validation</span>; the dashed line marks the epoch that was kept.</figcaption></figure>`;
}
