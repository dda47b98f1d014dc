/**
 * JSON lines of several runs of bench/search.ts -> a picture of how cost grows:
 *
 *     npx tsx bench/plot-search.ts 10k.jsonl 100k.jsonl > bench/search-growth.svg
 */
import { readFileSync } from "node:fs";
import { readArguments, wrongUsage } from "./read-arguments.js";

type Line = {
  what: string;
  n: number;
  p50Ms?: number;
  recallCross?: number;
  buildCpuSeconds?: number;
};
const { positionals } = readArguments(import.meta.url, { allowPositionals: true });
if (positionals.length === 0) wrongUsage(import.meta.url);
const lines = positionals.flatMap((file) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line),
);
const sizes = [...new Set(lines.map(({ n }) => n))].sort((a, b) => a - b);
const at = (pick: (line: Line) => number | undefined) => (n: number) =>
  lines
    .filter((line) => line.n === n)
    .map(pick)
    .find((value) => value !== undefined);

const series = [
  {
    name: "plain scan, ms",
    colour: "#888",
    value: at(({ what, p50Ms }) => (what === "plain scan" ? p50Ms : undefined)),
  },
  {
    name: "scan in 8 bits, ms",
    colour: "#090",
    value: at(({ what, p50Ms }) => (what === "scan in 8 bits" ? p50Ms : undefined)),
  },
  {
    name: "the same, eight queries at once, ms a query",
    colour: "#7c3",
    value: at(({ what, p50Ms }) =>
      what === "scan in 8 bits, eight queries at once" ? p50Ms : undefined,
    ),
  },
  {
    name: "graph at cross-modal recall .985, ms",
    colour: "#06c",
    value: at(({ what, p50Ms, recallCross = 0 }) =>
      what.startsWith("usearch") && recallCross >= 0.985 ? p50Ms : undefined,
    ),
  },
  {
    name: "building the graph, s of processor time",
    colour: "#c60",
    value: at(({ what, buildCpuSeconds }) =>
      what.startsWith("usearch") ? buildCpuSeconds : undefined,
    ),
  },
];
const x = (n: number) =>
  60 +
  (480 * Math.log10(n / sizes[0])) / Math.max(1, Math.log10(sizes[sizes.length - 1] / sizes[0]));
const y = (value: number) => 240 - (200 * (Math.log10(value) + 1)) / 4; // .1 to 1000
const text = (left: number, top: number, what: string, more = "") =>
  `<text x="${left}" y="${top}" ${more}>${what}</text>`;
const parts = [
  ...[0.1, 1, 10, 100, 1000].map(
    (v) =>
      `<path d="M60 ${y(v)}H540" ` +
      `stroke="#ddd"/>${text(54, y(v) + 4, String(v), 'text-anchor="end"')}`,
  ),
  ...sizes.map((n) => text(x(n), 258, `${n / 1000}k`, 'text-anchor="middle"')),
  ...series.flatMap(({ name, colour, value }, i) => {
    const points = sizes.flatMap((n) => {
      const found = value(n);
      return found === undefined ? [] : [`${x(n).toFixed(1)},${y(found).toFixed(1)}`];
    });
    return [
      `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      text(66, 20 + 15 * i, name, `fill="${colour}"`),
    ];
  }),
];
console.log(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 270" font-family="sans-serif" ' +
    `font-size="12">\n${parts.join("\n")}\n</svg>`,
);
