import { seededRandom } from "../math/random.js";
import {
  cosines,
  pairCosines,
  type Rows,
  rowAt,
  rowCount,
  rowRange,
  take,
  unitRows,
} from "../math/rows.js";
import { median } from "../math/statistics.js";
import { dot } from "../math/vector.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";
import { meanCosine } from "./gap.js";

/**
 * Pairs that look wrong, and why:
 * - `mismatched`: the sides are less similar than those of other pairs; score = robust z of the
 *   cosine.
 * - `isolated_a`, `isolated_b`: is in a much sparser region than its neighbours; score = simplified
 *   local outlier factor.
 * - `repeated_caption`: one b on many a that are no more similar than any others; score = how many.
 * - `near_duplicate`: almost the same a with different b; score = cosine of the a minus cosine of
 *   the b.
 */
export interface ScreeningFinding {
  kind: "mismatched" | "isolated_a" | "isolated_b" | "repeated_caption" | "near_duplicate";
  /** Positions of the pairs concerned. */
  pairs: number[];
  score: number;
}

/**
 * Findings of screening before training, and the pairs excluded on request.
 */
export interface ScreeningReport {
  /** How many findings of each kind. */
  counts: Record<string, number>;
  /** Positions of the given pairs; with their items' ids if they come from a collection. */
  findings: (ScreeningFinding & { ids?: string[] })[];
  excluded: number[];
}
export interface ScreeningOptions {
  /** Robust z above which a pair is mismatched. */
  mismatchZ: number;
  /** Neighbours of the density estimate. */
  neighbors: number;
  /** Local outlier factor above which an item is isolated. */
  isolation: number;
  /** Least number of pairs for a repeated caption. */
  repeats: number;
  /** Cosine above which two a are near-duplicates, and below which their b are different. */
  duplicateCosine: number;
  differentCosine: number;
}

const screeningDefaults: ScreeningOptions = {
  mismatchZ: 3.5, // Iglewicz and Hoaglin 1993, "How to detect and handle outliers"
  neighbors: 16,
  isolation: 1.5,
  repeats: 5,
  duplicateCosine: 0.98,
  differentCosine: 0.9,
};

/** Most items to search for neighbours; a seeded sample of more. */
const maxReference = 4096;
/** Near-duplicates are listed up to this many: N equal rows make N * 4096 of them. */
const maxDuplicates = 100_000;

/**
 * Lists suspicious pairs before training; nothing is excluded automatically. Rows of any length but
 * zero: they are compared at unit length.
 * @returns findings by kind, highest score first.
 * @throws AppError `cancelled` when the signal aborts, `invalid_input` for a row without direction.
 */
export function screenPairs(
  rowsA: Rows,
  rowsB: Rows,
  overrides: Partial<ScreeningOptions> = {},
  signal?: Cancellation,
): ScreeningFinding[] {
  const options = { ...screeningDefaults, ...overrides };
  const [a, b] = [unitRows(rowsA, "a"), unitRows(rowsB, "b")];
  return [
    ...mismatched(a, b, options),
    ...isolated(a, "isolated_a", options, signal),
    ...isolated(b, "isolated_b", options, signal),
    ...repeatedCaptions(a, b, options),
    ...nearDuplicates(a, b, options, signal),
  ];
}

/**
 * The pairs of the findings, once each and in order, for exclusion.
 */
export function suspiciousPairs(findings: readonly ScreeningFinding[]): number[] {
  return [...new Set(findings.flatMap(({ pairs }) => pairs))].sort((one, other) => one - other);
}

const byScore = (one: ScreeningFinding, other: ScreeningFinding) => other.score - one.score;

function mismatched(a: Rows, b: Rows, { mismatchZ }: ScreeningOptions): ScreeningFinding[] {
  // Sides that are not comparable before training
  if (a.dimensions !== b.dimensions) return [];
  const ofPairs = pairCosines(a, b);
  const center = median(ofPairs);
  // Sigma of a normal distribution
  const spread = 1.4826 * median(ofPairs.map((c) => Math.abs(c - center)));
  if (spread === 0) return [];
  const findings: ScreeningFinding[] = [];
  for (const [i, c] of ofPairs.entries()) {
    const z = (center - c) / spread;
    if (z > mismatchZ) findings.push({ kind: "mismatched", pairs: [i], score: z });
  }
  return findings.sort(byScore);
}

/**
 * Simplified local outlier factor: the distance to the k-th neighbour over the mean of the same
 * distance at the first k neighbours; about 1 within a cluster. Schubert, Zimek and Kriegel 2014,
 * https://doi.org/10.1007/s10618-012-0300-z. Exact copies do not count as neighbours: an item and
 * its copies are not a dense region.
 */
function isolated(
  x: Rows,
  kind: ScreeningFinding["kind"],
  options: ScreeningOptions,
  signal: Cancellation | undefined,
): ScreeningFinding[] {
  const count = rowCount(x);
  const reference = sample(count, maxReference);
  const k = Math.min(options.neighbors, reference.length - 2);
  if (k < 2) return [];
  const kDistance = new Float64Array(count);
  const neighbors: Uint32Array[] = [];
  eachRow(x, reference, signal, (i, similarity) => {
    const others = [...reference.keys()].filter(
      (r) => reference[r] !== i && similarity[r] < 1 - 1e-6,
    );
    others.sort((one, other) => similarity[other] - similarity[one]);
    neighbors[i] = Uint32Array.from(others.slice(0, k), (r) => reference[r]);
    const last = others[Math.min(k, others.length) - 1];
    kDistance[i] = last === undefined ? 0 : Math.sqrt(Math.max(0, 2 - 2 * similarity[last]));
  });
  const findings: ScreeningFinding[] = [];
  for (let i = 0; i < count; i++) {
    let around = 0;
    for (const j of neighbors[i]) around += kDistance[j] / neighbors[i].length;
    const score = around > 0 ? kDistance[i] / around : 1;
    if (score > options.isolation) findings.push({ kind, pairs: [i], score });
  }
  return findings.sort(byScore);
}

function repeatedCaptions(a: Rows, b: Rows, { repeats }: ScreeningOptions): ScreeningFinding[] {
  const groups = new Map<string, number[]>();
  const asText = new TextDecoder("latin1"); // a letter for each byte; browsers have no Buffer
  for (let i = 0; i < rowCount(b); i++) {
    const row = rowAt(b, i);
    const key = asText.decode(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  }
  const typical = meanCosine(take(a, sample(rowCount(a), 1000)));
  const findings: ScreeningFinding[] = [];
  for (const pairs of groups.values()) {
    if (pairs.length < repeats) continue;
    // 0 when the items with the caption are as dissimilar as any two items, 1 when they are equal.
    const cohesion = (meanCosine(take(a, pairs.slice(0, 1000))) - typical) / (1 - typical);
    if (cohesion < 0.1) findings.push({ kind: "repeated_caption", pairs, score: pairs.length });
  }
  return findings.sort(byScore);
}

function nearDuplicates(
  a: Rows,
  b: Rows,
  options: ScreeningOptions,
  signal: Cancellation | undefined,
): ScreeningFinding[] {
  const findings: ScreeningFinding[] = [];
  const reference = sample(rowCount(a), maxReference);
  const isReference = new Set(reference);
  eachRow(a, reference, signal, (i, similarity) => {
    for (const [r, j] of reference.entries()) {
      if (j === i || (j < i && isReference.has(i)) || similarity[r] < options.duplicateCosine)
        continue;
      const captions = dot(rowAt(b, i), rowAt(b, j));
      if (captions < options.differentCosine && findings.length < maxDuplicates) {
        findings.push({ kind: "near_duplicate", pairs: [i, j], score: similarity[r] - captions });
      }
    }
  });
  return findings.sort(byScore);
}

/** Calls `use` with each row's cosines to the reference rows, a block of rows at a time. */
function eachRow(
  x: Rows,
  reference: Uint32Array,
  signal: Cancellation | undefined,
  use: (i: number, similarity: Float32Array) => void,
): void {
  const chosen = take(x, reference);
  const block = 64;
  for (let from = 0; from < rowCount(x); from += block) {
    throwIfCancelled(signal);
    const rows = rowRange(x, from, Math.min(from + block, rowCount(x)));
    const similarity = cosines(rows, chosen);
    for (let i = 0; i < rowCount(rows); i++) {
      use(from + i, similarity.subarray(i * reference.length, (i + 1) * reference.length));
    }
  }
}

function sample(count: number, max: number): Uint32Array {
  if (count <= max) return Uint32Array.from({ length: count }, (_, i) => i);
  return seededRandom(1).permutation(count).slice(0, max);
}
