import { applyHead, dimensionsOut, type ProjectionHead } from "../encoders/head.js";
import { seededRandom } from "../math/random.js";
import { gatherBatch } from "./batches.js";
import { pairFacts, zeroShotHits } from "./pair-facts.js";
import { compareFacts, compareHits, type Measures } from "./run-measures.js";
import type { Split, TrainingRequest } from "./training-request.js";

/** The heads of both sides; a locked side has none. */
export interface Heads {
  a?: ProjectionHead;
  b?: ProjectionHead;
}

/** Pairs that are measured, at most: ranks take time and memory with their square. */
export const maxMeasuredPairs = 2000;

/**
 * Measures of the pairs kept aside, and of the probe set, before and after training.
 * @param started  the heads that training began with.
 */
export function measureHeads(
  request: TrainingRequest,
  split: Split,
  seed: number,
  started: Heads,
  trained: Heads,
): { measures: Measures; forgetting?: Measures } {
  const random = seededRandom(seed ^ 0x6d656173);
  const { labels } = request;
  // Where both sides are comparable as they are, that is what training has to beat; else the heads it started from.
  const untrained: Heads = request.a.dimensions === request.b.dimensions ? {} : started;
  const measured = [...random.permutation(split.test.length)]
    .slice(0, maxMeasuredPairs)
    .map((i) => split.test[i]);
  const { a, b } = gatherBatch(request, measured);
  const facts = (heads: Heads, rowsA: Float32Array, rowsB: Float32Array, labelsOf?: Int32Array) => {
    const projected = project(heads.a, rowsA, request.a.dimensions);
    return pairFacts(
      projected,
      project(heads.b, rowsB, request.b.dimensions),
      projected.length / (rowsA.length / request.a.dimensions),
      labelsOf,
    );
  };
  const compare = (rowsA: Float32Array, rowsB: Float32Array, labelsOf?: Int32Array) =>
    compareFacts(
      facts(untrained, rowsA, rowsB, labelsOf),
      facts(trained, rowsA, rowsB, labelsOf),
      random,
    );
  const measures = compare(a, b, labels && Int32Array.from(measured, (at) => labels[at]));
  if (labels) {
    const hits = (heads: Heads) => {
      const known = split.train.slice(0, maxMeasuredPairs);
      const rows = gatherBatch(request, [...known, ...measured]);
      const projected = project(heads.a, rows.a, request.a.dimensions);
      return zeroShotHits(
        projected,
        project(heads.b, rows.b, request.b.dimensions),
        projected.length / rows.size,
        rows.labels as Int32Array,
        known.map((_, i) => i),
        measured.map((_, i) => known.length + i),
      );
    };
    const before = hits(untrained);
    if (before.length > 0) measures.zero_shot_accuracy = compareHits(before, hits(trained), random);
  }
  const { probe } = request;
  return { measures, forgetting: probe && compare(probe.a, probe.b, probe.labels) };
}

function project(
  head: ProjectionHead | undefined,
  rows: Float32Array,
  dimensions: number,
): Float32Array {
  if (head === undefined) return rows;
  const width = dimensionsOut(head);
  const result = new Float32Array((rows.length / dimensions) * width);
  const embeddings = Array.from({ length: rows.length / dimensions }, (_, i) =>
    rows.subarray(i * dimensions, (i + 1) * dimensions),
  );
  for (const [i, row] of applyHead(head, embeddings).entries()) result.set(row, i * width);
  return result;
}
