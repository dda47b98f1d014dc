import { raw } from "hono/html";
import type { Measure, Measures } from "../training/run-measures.js";
import type { RunReport } from "../training/run-report.js";
import type { ScreeningReport } from "../training/screening.js";
import { html, type Markup } from "./markup.js";
import { changePlot, lossPlot, shortNumber, spokenName } from "./training-plots.js";

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2330; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #e3e6ec }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums } td { overflow-wrap: anywhere }
.verdict { padding: .7rem 1rem; border-left: 4px solid #9aa3b2; background: #f5f6f8 }
.improved { border-color: #1a8a4c }
.better { color: #12713d } .worse { color: #b3261e }
figure { margin: 1rem 0 } svg { width: 100%; height: auto } figcaption { color: #5a6475 }`;

/** A training report as one self-contained HTML page: no script, font or picture from elsewhere. */
export function reportPage(report: RunReport, title: string): string {
  const { verdict, forgetting, screening } = report;
  const facts = runFacts(report).map(
    ([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>\n`,
  );
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${raw(style)}</style>
<h1>${title}</h1>
<p class="verdict${verdict.improved && " improved"}">
<strong>${verdict.improved ? "Improved" : "Not improved"}.</strong> ${verdict.reason}</p>
<h2>On held-out pairs</h2>
${measureTable(report.measures)}
${changePlot(report.measures)}
${forgetting && html`<h2>On the probe set</h2>\n${measureTable(forgetting)}`}
${screening && screeningTable(screening)}
<h2>Training</h2>
${lossPlot(report.epochs, report.bestEpoch)}
<h2>The run</h2>
<table>${facts}</table>
</html>
`.toString();
}

function runFacts({ data, options, heads, epochs, bestEpoch, stoppedBy }: RunReport) {
  const facts: [string, string | number][] = [
    ["Pairs", `${data.train} train, ${data.validation} validation, ${data.test} test`],
  ];
  if (data.labels !== undefined) facts.push(["Labels", data.labels]);
  facts.push(
    ["Heads", `a: ${heads.a}, b: ${heads.b}`],
    ["Loss", options.loss],
    ["Epochs", `${epochs.length}, kept: ${bestEpoch}, stopped by ${stoppedBy}`],
    ["Learning rate", options.learningRate],
    ["Batch size", options.batchSize],
    ["Weight decay", `${options.weightDecay} towards ${options.decayTowards}`],
    ["Mixup", options.mixup],
    ["Seed", options.seed],
    ["Data (sha256)", data.sha256],
  );
  return facts;
}

/** The JSON has more findings than the page. */
const maxFindings = 50;
const maxIds = 10;

function screeningTable({ counts, findings, excluded }: ScreeningReport): Markup {
  const found = Object.entries(counts).map(([kind, count]) => `${count} ${spokenName(kind)}`);
  const rows = findings.slice(0, maxFindings).map(({ kind, score, pairs, ids }) => {
    const which = (ids ?? pairs.map((at) => `row ${at + 1}`)).slice(0, maxIds).join("; ");
    return html`<tr><td>${spokenName(kind)}</td><td class="n">${shortNumber(score)}</td>
<td>${which}</td></tr>\n`;
  });
  const table = html`<table>
<tr><th>What</th><th class="n">Score</th><th>Pairs</th></tr>
${rows}</table>`;
  return html`<h2>Suspicious pairs</h2>
<p>${found.join(", ") || "none"}; ${excluded.length} left out.</p>
${rows.length > 0 && table}`;
}

function measureTable(measures: Measures): Markup {
  const row = ([name, { before, after, interval, says }]: [string, Measure]) => {
    const [low, high] = interval.map(shortNumber);
    return html`<tr><td>${spokenName(name)}</td><td class="n">${shortNumber(before)}</td>
<td class="n">${shortNumber(after)}</td><td class="n">${low} to ${high}</td>
<td class="${says}">${says}</td></tr>\n`;
  };
  return html`<table>
<tr><th>measure</th><th class="n">before</th><th class="n">after</th>
<th class="n">change, 95 % interval</th><th></th></tr>
${Object.entries(measures).map(row)}</table>`;
}
