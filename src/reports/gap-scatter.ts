import type { Projection } from "../training/gap-projection.js";
import { html, type Markup } from "./markup.js";

const [width, height, top] = [440, 320, 30];
/** Space between the frame and the outermost points. */
const margin = 10;

/** Both modalities on their first two principal axes: points, or shaded cells for many items. */
export function scatterPlot(projection: Projection, modalities: { a: string; b: string }): Markup {
  const [first, second] = projection.explained.map((share) => `${(100 * share).toFixed(1)} %`);
  const { density } = projection;
  const marks = density
    ? [densityCells(density, "a"), densityCells(density, "b")]
    : html`<g opacity=".55">${points(projection)}</g>`;
  return html`<text class="title">The embeddings</text>
<circle class="a" cx="262" cy="-4" r="5"/><text x="272" y="0">${modalities.a}</text>
<circle class="b" cx="356" cy="-4" r="5"/><text x="366" y="0">${modalities.b}</text>
<rect class="axis" y="${top - 14}" width="${width}" height="${height + 14}" rx="4"/>${marks}
<text x="${width / 2}" y="${top + height + 20}"
 text-anchor="middle">first principal axis (${first} of the variance)</text>
<text transform="translate(-10 ${top + height / 2}) rotate(-90)"
 text-anchor="middle">second (${second})</text>`;
}

function points({ a = [], b = [] }: Projection): Markup[] {
  const range = (axis: 0 | 1) => {
    const values = [...a, ...b].map((point) => point[axis]);
    return { low: Math.min(...values), high: Math.max(...values) };
  };
  const [x, y] = [range(0), range(1)];
  const share = (value: number, { low, high }: typeof x) => (value - low) / (high - low || 1);
  const circle = (side: string, [u, v]: [number, number]) => {
    const cx = share(u, x) * (width - 2 * margin) + margin;
    const cy = top + height - margin - share(v, y) * (height - 2 * margin);
    return html`<circle class="${side}" cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="2.6"/>`;
  };
  return [...a.map((point) => circle("a", point)), ...b.map((point) => circle("b", point))];
}

function densityCells(density: NonNullable<Projection["density"]>, side: "a" | "b"): Markup[] {
  const { bins } = density;
  const [cellWidth, cellHeight] = [(width - 2 * margin) / bins, (height - 2 * margin) / bins];
  const highest = density[side].reduce((max, count) => Math.max(max, count), 1);
  return density[side].flatMap((count, i) => {
    if (count === 0) return [];
    const x = margin + (i % bins) * cellWidth;
    const y = top + height - margin - (Math.floor(i / bins) + 1) * cellHeight;
    // The square root keeps sparse cells visible beside dense ones.
    const opacity = 0.12 + 0.83 * Math.sqrt(count / highest);
    return html`<rect class="${side}" x="${x.toFixed(1)}" y="${y.toFixed(1)}"
 width="${cellWidth.toFixed(2)}" height="${cellHeight.toFixed(2)}"
 opacity="${opacity.toFixed(2)}"/>`;
  });
}
