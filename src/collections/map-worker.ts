import { principalAxes } from "../math/principal-axes.js";
import { meanRow, type Rows, rowCount } from "../math/rows.js";
import { giveWay, niceness } from "../workers/give-way.js";
import { serveWorker } from "../workers/serve-worker.js";
import { denseRegions, type Region } from "./dense-regions.js";
import { type MapRows, nearestWords, regionMeans } from "./region-names.js";

// A thread that lays collections out in the plane, one after the other.
giveWay(niceness.training);

/** Rows that the axes are found by; all rows are then projected. */
const maxFitted = 20_000;

export interface Plane {
  /** [N, 2] */
  points: Float32Array;
  /** Share of the variance that each axis shows. */
  explained: [number, number];
}

export interface Regions {
  regions: Region[];
  /** What sets each apart, [R, D]. */
  means: Rows;
}

/** Principal components. @param rows  [N, D], N >= 1. */
function project(rows: Rows): Plane {
  const { values, dimensions } = rows;
  const count = rowCount(rows);
  const step = Math.ceil(count / maxFitted);
  const fit = step === 1 ? rows : everyNth(rows, step);
  const mean = meanRow(fit);
  const { axes, explained } = principalAxes(fit, mean);
  const points = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    for (const [k, axis] of axes.entries()) {
      let along = 0;
      for (let d = 0; d < dimensions; d++)
        along += (values[i * dimensions + d] - mean[d]) * axis[d];
      points[2 * i + k] = along;
    }
  }
  return { points, explained };
}

function regionsOf({ points, rows }: { points: Float32Array; rows: MapRows }): Regions {
  const found = denseRegions(points);
  const regions = found.map(({ members, ...region }) => region);
  return { regions, means: regionMeans(rows, found) };
}

function everyNth({ values, dimensions }: Rows, step: number): Rows {
  const count = Math.ceil(values.length / dimensions / step);
  const some = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const from = i * step * dimensions;
    some.set(values.subarray(from, from + dimensions), i * dimensions);
  }
  return { values: some, dimensions };
}

serveWorker({
  project: async (rows: MapRows) => {
    const plane = project(rows);
    return { ...plane, ...regionsOf({ points: plane.points, rows }) };
  },
  regions: async (laidOut: { points: Float32Array; rows: MapRows }) => regionsOf(laidOut),
  name: async (request: { means: Rows; words: Rows }) => nearestWords(request),
});
