import { html, type Markup } from "./markup.js";

export interface Series {
  /** Class of the stylesheet that colours the line and its name. */
  colour: string;
  name: string;
  values: number[];
}

export interface DistanceAxis {
  /** Distance of the centroids at each point of a series. */
  values: readonly number[];
  /** The actual distance, shown by a dashed line. */
  marked: number;
}

const [width, height, top] = [360, 150, 24];
/** Least distance between two names at the ends of their lines. */
const nameHeight = 14;

/** Lines over the distance of the centroids. */
export function linePlot(title: string, axis: DistanceAxis, series: readonly Series[]): Markup {
  const distances = axis.values;
  const [left, right] = [Math.min(...distances), Math.max(...distances)];
  const highest = Math.max(...series.flatMap(({ values }) => values), 1e-6);
  const px = (value: number) => ((value - left) / (right - left || 1)) * width;
  const py = (value: number) => top + height - (value / (1.05 * highest)) * height;
  // Names are at the right end, where the distance is largest.
  const ends = spread(series.map(({ values }) => py(values[distances.indexOf(right)])));
  const lines = series.map(({ colour, name, values }, i) => {
    const points = values.map(
      (value, k) => `${px(distances[k]).toFixed(1)},${py(value).toFixed(1)}`,
    );
    return html`<polyline class="line ${colour}" points="${points.join(" ")}"/>
<text class="${colour}" x="${width + 8}" y="${ends[i] + 4}">${name}</text>`;
  });
  const ticks = [0, 0.5, 1]
    .filter((value) => value >= left && value <= right)
    .map(
      (value) =>
        html`<text x="${px(value)}" y="${top + height + 16}" text-anchor="middle">${value}</text>`,
    );
  const native = px(axis.marked);
  return html`<text class="title">${title}</text>
<path class="axis" d="M0 ${top}V${top + height}H${width}"/>
<line class="native" x1="${native}" x2="${native}" y1="${top}" y2="${top + height}"/>
<text x="${native}" y="${top - 6}" text-anchor="middle">as it is</text>
<text x="-6" y="${py(highest) + 4}" text-anchor="end">${highest.toFixed(2)}</text>
<text x="-6" y="${py(0) + 4}" text-anchor="end">0</text>
${ticks}
<text x="${width / 2}" y="${top + height + 36}"
 text-anchor="middle">distance of the centroids after the shift</text>${lines}`;
}

/** Moves names that would overlap down. `spread([10, 12])` is `[10, 24]`. */
function spread(heights: readonly number[]): number[] {
  const moved = [...heights];
  const order = moved.map((_, i) => i).sort((i, j) => moved[i] - moved[j]);
  for (let k = 1; k < order.length; k++) {
    moved[order[k]] = Math.max(moved[order[k]], moved[order[k - 1]] + nameHeight);
  }
  return moved;
}
