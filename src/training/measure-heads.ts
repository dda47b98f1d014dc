import { applyHead, type ProjectionHead } from "../encoders/head.js";
import { seededRandom } from "../math/random.js";
import { type Rows, rowsOf, take, vectorsOf } from "../math/rows.js";
import { pairFacts, zeroShotHits } from "./pair-facts.js";
import { compareFacts, compareHits, type Measures } from "./run-measures.js";
import type { Split, TrainingRequest } from "./training-request.js";

/** The heads of both sides; a locked side has none. */
export interface Heads {
  a?: ProjectionHead;
  b?: ProjectionHead;
}

/** Most pairs that are measured: ranks take quadratic time and memory. */
export const maxMeasuredPairs = 2000;

/**
 * Measures of the held-out pairs, and of the probe set, before and after training; `against` are
 * those of the same pairs with the previously active version.
 * @param started  the initial heads of training.
 */
export function measureHeads(
  request: TrainingRequest,
  split: Split,
  seed: number,
  started: Heads,
  trained: Heads,
): { measures: Measures; against?: Measures; forgetting?: Measures } {
  const random = seededRandom(seed ^ 0x6d656173);
  const { labels } = request;
  // If both sides are comparable without heads, training must beat that; else the heads it started
  // from.
  const untrained: Heads = request.a.dimensions === request.b.dimensions ? {} : started;
  const measured = [...random.permutation(split.test.length)]
    .slice(0, maxMeasuredPairs)
    .map((i) => split.test[i]);
  const facts = (heads: Heads, a: Rows, b: Rows, labelsOf?: Int32Array) =>
    pairFacts(project(heads.a, a), project(heads.b, b), labelsOf);
  const compare = (a: Rows, b: Rows, labelsOf?: Int32Array) =>
    compareFacts(facts(untrained, a, b, labelsOf), facts(trained, a, b, labelsOf), random);
  const labelsAt = (positions: readonly number[]) =>
    labels && Int32Array.from(positions, (at) => labels[at]);
  const [testA, testB] = [take(request.a, measured), take(request.b, measured)];
  const testLabels = labelsAt(measured);
  const measures = compare(testA, testB, testLabels);
  const { active } = request;
  const against =
    active &&
    compareFacts(
      facts(active, testA, testB, testLabels),
      facts(trained, testA, testB, testLabels),
      random,
    );
  if (labels) {
    const trainPairs = split.train.slice(0, maxMeasuredPairs);
    const all = [...trainPairs, ...measured];
    const hits = (heads: Heads) =>
      zeroShotHits(
        project(heads.a, take(request.a, all)),
        project(heads.b, take(request.b, all)),
        labelsAt(all) as Int32Array,
        trainPairs.map((_, i) => i),
        measured.map((_, i) => trainPairs.length + i),
      );
    const before = hits(untrained);
    if (before.length > 0) measures.zero_shot_accuracy = compareHits(before, hits(trained), random);
  }
  const { probe } = request;
  const probeRows = (side: "a" | "b") => ({
    values: probe?.[side] as Float32Array,
    dimensions: request[side].dimensions,
  });
  const forgetting = probe && compare(probeRows("a"), probeRows("b"), probe.labels);
  return { measures, against, forgetting };
}

const project = (head: ProjectionHead | undefined, rows: Rows): Rows =>
  head === undefined ? rows : rowsOf(applyHead(head, vectorsOf(rows)));
