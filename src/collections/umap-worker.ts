import { UMAP } from "umap-js";
import { seededRandom } from "../math/random.js";
import { type Rows, vectorsOf } from "../math/rows.js";
import { giveWay, niceness } from "../workers/give-way.js";
import { serveWorker } from "../workers/serve-worker.js";

// A thread for one layout; ended in the middle when its job is cancelled.
giveWay(niceness.training);

export interface UmapRequest {
  rows: Rows;
  /** Where the points start, [N, 2]. */
  start: Float32Array;
  seed: number;
  neighbors: number;
  minDistance: number;
}

export interface UmapProgress {
  stage: "finding neighbours" | "laying out";
  /** In [0, 1], of the whole. */
  share: number;
}

/** Of the time, about; the rest goes into epochs. 0.2 to 0.5 by dimensions and items. */
const shareOfNeighbors = 0.4;
/**
 * Comparisons that finding the neighbours takes for each item and neighbour, about: 23 to 57 were
 * measured at 500 to 10,000 items.
 */
const comparisonsEach = 35;
/** Comparisons of each item from one report to the next. */
const reportEvery = 10;
/** Width of the plane that the optimization starts in. Source: umap-learn, `init`. */
const startWidth = 20;

/**
 * UMAP of unit vectors, by their cosines. Source: McInnes, Healy and Melville 2018,
 * arXiv:1802.03426. It starts from principal components, which keeps distant items apart (Kobak and
 * Linderman 2021, doi:10.1038/s41587-020-00809-z), and is the same for a seed.
 *
 * @returns [N, 2]
 */
function layOut(
  { rows, start, seed, neighbors, minDistance }: UmapRequest,
  report: (progress: UmapProgress) => void,
): Float32Array {
  const vectors = vectorsOf(rows);
  const expected = comparisonsEach * neighbors * vectors.length;
  const between = reportEvery * vectors.length;
  let comparisons = 0;
  const umap = new UMAP({
    nNeighbors: neighbors,
    minDist: minDistance,
    random: seededRandom(seed).uniform,
    distanceFn: (a, b) => {
      if (comparisons++ % between === 0) {
        // It may take more than expected: the share comes ever closer to the whole.
        const done = 1 - Math.exp((-2 * comparisons) / expected);
        report({ stage: "finding neighbours", share: shareOfNeighbors * done });
      }
      return cosineDistance(a, b);
    },
  });
  const epochs = umap.initializeFit(vectors as unknown as number[][]);
  const points = umap.getEmbedding();
  const scale = startWidth / Math.max(1e-9, widthOf(start));
  for (const [i, point] of points.entries())
    for (const k of [0, 1]) point[k] = scale * start[2 * i + k];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const share = shareOfNeighbors + (1 - shareOfNeighbors) * (epoch / epochs);
    if (epoch % 5 === 0) report({ stage: "laying out", share });
    umap.step();
  }
  return Float32Array.from(points.flat());
}

function cosineDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += a[i] * b[i];
  return Math.max(0, 1 - dot);
}

function widthOf(points: Float32Array): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of points) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return high - low;
}

serveWorker({ layOut: async (request: UmapRequest, report) => layOut(request, report) });
