import type { Projection } from "./gap-projection.js";
import type { GapReport } from "./measure-gap.js";

/** Blue and vermilion of Okabe and Ito's palette: told apart with every kind of colour vision. */
const style = `
.gap { --ink: #1c2330; --soft: #5a6475; --line: #d5d9e0; --a: #0072b2; --b: #d55e00; --c: #2f855a; --paper: #fff }
@media (prefers-color-scheme: dark) { .gap { --ink: #e6e9ef; --soft: #a3adbd; --line: #3a4250; --a: #56b4e9; --b: #f0894a; --c: #68c694; --paper: #14181f } }
.gap text { font: 12px system-ui, sans-serif; fill: var(--soft) }
.gap .title { font-size: 15px; font-weight: 600; fill: var(--ink) }
.gap .value { fill: var(--ink); font-variant-numeric: tabular-nums }
.gap .axis { stroke: var(--line); fill: none } .gap .native { stroke: var(--soft); stroke-dasharray: 4 4 }
.gap .a { fill: var(--a) } .gap .b { fill: var(--b) } .gap .c { fill: var(--c) }
.gap .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.gap .line.a { stroke: var(--a) } .gap .line.b { stroke: var(--b) } .gap .line.c { stroke: var(--c) }
.gap .line.a, .gap .line.b, .gap .line.c { fill: none }`;

/** The report as one picture: where the embeddings lie, what shifting does, what centring does. */
export function gapSvg(report: GapReport): string {
  const height = report.shift_curve ? 690 : 430;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="gap" viewBox="0 0 960 ${height}" role="img" aria-label="Modality gap of ${escapeXml(report.modalities.a)} and ${escapeXml(report.modalities.b)}: centroid gap ${report.centroid_gap.toFixed(4)}">
<style>${style}</style>
<rect width="960" height="${height}" fill="var(--paper)"/>
<g transform="translate(30 34)">${scatter(report)}</g>
<g transform="translate(530 34)">${bars(report)}</g>
${report.shift_curve ? `<g transform="translate(44 450)">${curves(report.shift_curve, report.modalities)}</g>` : ""}
</svg>`;
}

export function escapeXml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

function scatter({ projection, modalities }: GapReport): string {
  const [width, height, top] = [440, 320, 30];
  const { x, y } = ranges(projection);
  const px = (value: number) => ((value - x[0]) / (x[1] - x[0] || 1)) * (width - 20) + 10;
  const py = (value: number) =>
    top + height - 10 - ((value - y[0]) / (y[1] - y[0] || 1)) * (height - 20);
  const { a = [], b = [], density } = projection;
  const dots = (points: [number, number][], side: string) =>
    points
      .map(
        ([u, v]) =>
          `<circle class="${side}" cx="${px(u).toFixed(1)}" cy="${py(v).toFixed(1)}" r="2.6"/>`,
      )
      .join("");
  let marks = `<g opacity=".55">${dots(a, "a")}${dots(b, "b")}</g>`;
  if (density) {
    const { bins } = density;
    const cell = (side: "a" | "b") => {
      const most = density[side].reduce((max, count) => Math.max(max, count), 1);
      return density[side]
        .map((count, i) => {
          if (count === 0) return "";
          const u = 10 + ((i % bins) / bins) * (width - 20);
          const v = top + height - 10 - ((Math.floor(i / bins) + 1) / bins) * (height - 20);
          const opacity = (0.12 + 0.83 * Math.sqrt(count / most)).toFixed(2);
          return `<rect class="${side}" x="${u.toFixed(1)}" y="${v.toFixed(1)}" width="${((width - 20) / bins).toFixed(2)}" height="${((height - 20) / bins).toFixed(2)}" opacity="${opacity}"/>`;
        })
        .join("");
    };
    marks = cell("a") + cell("b");
  }
  const [first, second] = projection.explained.map((share) => `${(100 * share).toFixed(1)} %`);
  return `<text class="title">Where the embeddings lie</text>
<circle class="a" cx="262" cy="-4" r="5"/><text x="272" y="0">${escapeXml(modalities.a)}</text>
<circle class="b" cx="356" cy="-4" r="5"/><text x="366" y="0">${escapeXml(modalities.b)}</text>
<rect class="axis" y="${top - 14}" width="${width}" height="${height + 14}" rx="4"/>${marks}
<text x="${width / 2}" y="${top + height + 20}" text-anchor="middle">first principal axis (${first} of the variance)</text>
<text transform="translate(-10 ${top + height / 2}) rotate(-90)" text-anchor="middle">second (${second})</text>`;
}

function ranges({ a = [], b = [], density }: Projection): {
  x: [number, number];
  y: [number, number];
} {
  if (density) return density;
  const range = (axis: 0 | 1): [number, number] => {
    const values = [...a, ...b].map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  return { x: range(0), y: range(1) };
}

/** Before and after centring, side by side. */
function bars(report: GapReport): string {
  const { recall, centered, held_out: heldOut, modalities } = report;
  const [a, b] = [escapeXml(modalities.a), escapeXml(modalities.b)];
  const rows: [string, number, number][] = [
    ["centroid gap", report.centroid_gap, centered.centroid_gap],
  ];
  if (report.relative_modality_gap !== null && centered.relative_modality_gap !== null) {
    rows.push([
      "relative modality gap",
      report.relative_modality_gap,
      centered.relative_modality_gap,
    ]);
  }
  if (recall && centered.recall) {
    rows.push([`recall@1, ${a} to ${b}`, recall.a_to_b.at_1, centered.recall.a_to_b.at_1]);
    rows.push([`recall@1, ${b} to ${a}`, recall.b_to_a.at_1, centered.recall.b_to_a.at_1]);
  }
  if (heldOut?.mixed_corpus) {
    const { before, centered: after } = heldOut.mixed_corpus;
    rows.push(["recall@10 in a mixed corpus", before.at_10, after.at_10]);
  }
  const most = Math.max(1, ...rows.flatMap(([, was, is]) => [was, is]));
  const bar = (y: number, value: number, side: string) =>
    `<rect class="${side}" x="0" y="${y}" width="${((330 * value) / most).toFixed(1)}" height="13" rx="2"/>` +
    `<text class="value" x="${((330 * value) / most + 8).toFixed(1)}" y="${y + 11}">${value.toFixed(3)}</text>`;
  const body = rows.map(
    ([name, was, is], i) =>
      `<g transform="translate(0 ${34 + 64 * i})"><text>${name}</text>${bar(7, was, "soft")}${bar(24, is, "c")}</g>`,
  );
  return `<style>.gap .soft { fill: var(--soft) }</style>
<text class="title">What centring does</text>
<rect class="soft" x="210" y="-10" width="11" height="11" rx="2"/><text x="226" y="0">as they are</text>
<rect class="c" x="305" y="-10" width="11" height="11" rx="2"/><text x="321" y="0">centred</text>${body.join("")}`;
}

type Curve = NonNullable<GapReport["shift_curve"]>;

function curves(curve: Curve, { a, b }: GapReport["modalities"]): string {
  const loss = (temperature: "0.01" | "0.1" | "1") =>
    curve.map((point) => point.losses[temperature]);
  const lines = [loss("0.01"), loss("0.1"), loss("1")];
  const recalls: Series[] = [
    { side: "a", name: `from ${escapeXml(a)}`, values: curve.map((point) => point.a_to_b_at_1) },
    { side: "b", name: `from ${escapeXml(b)}`, values: curve.map((point) => point.b_to_a_at_1) },
  ];
  const losses: Series[] = [
    { side: "c", name: "at 0.01", values: lines[0] },
    { side: "a", name: "at 0.1", values: lines[1] },
    { side: "b", name: "at 1", values: lines[2] },
  ];
  return `${plot("Recall@1 when the gap is shifted", curve, recalls)}
<g transform="translate(500 0)">${plot(`Contrastive loss by temperature`, curve, losses)}</g>`;
}

interface Series {
  side: string;
  name: string;
  values: number[];
}

/** Lines over the distance of the centroids. */
function plot(title: string, curve: Curve, series: Series[]): string {
  const [width, height, top] = [360, 150, 24];
  const distances = curve.map(({ distance }) => distance);
  const [left, right] = [Math.min(...distances), Math.max(...distances)];
  const high = Math.max(...series.flatMap(({ values }) => values), 1e-6) * 1.05;
  const px = (value: number) => ((value - left) / (right - left || 1)) * width;
  const py = (value: number) => top + height - (value / high) * height;
  const native = px(curve.find(({ delta }) => delta === 0)?.distance ?? 0);
  // Names stand at the right end, where the distance is largest; lines that end close together keep 14 units apart.
  const ends = series.map(({ values }) => py(values[distances.indexOf(right)]));
  const order = ends.map((_, i) => i).sort((i, j) => ends[i] - ends[j]);
  for (let k = 1; k < order.length; k++)
    ends[order[k]] = Math.max(ends[order[k]], ends[order[k - 1]] + 14);
  const lines = series.map(
    ({ side, name, values }, i) =>
      `<polyline class="line ${side}" points="${values.map((value, k) => `${px(distances[k]).toFixed(1)},${py(value).toFixed(1)}`).join(" ")}"/>` +
      `<text class="${side}" x="${width + 8}" y="${ends[i] + 4}">${name}</text>`,
  );
  const ticks = [0, 0.5, 1].filter((value) => value >= left && value <= right);
  return `<text class="title">${title}</text>
<path class="axis" d="M0 ${top}V${top + height}H${width}"/><line class="native" x1="${native}" x2="${native}" y1="${top}" y2="${top + height}"/>
<text x="${native}" y="${top - 6}" text-anchor="middle">as it is</text>
<text x="-6" y="${py(high / 1.05) + 4}" text-anchor="end">${(high / 1.05).toFixed(2)}</text><text x="-6" y="${py(0) + 4}" text-anchor="end">0</text>
${ticks.map((value) => `<text x="${px(value)}" y="${top + height + 16}" text-anchor="middle">${value}</text>`).join("")}
<text x="${width / 2}" y="${top + height + 36}" text-anchor="middle">distance of the centroids after the shift</text>${lines.join("")}`;
}
