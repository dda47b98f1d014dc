import { auroc } from "../math/auroc.js";
import { seededRandom } from "../math/random.js";
import { reliability } from "../math/reliability.js";
import { cosines, type Rows, rowAt, rowCount } from "../math/rows.js";
import { logSumExp, sigmoid } from "../math/softmax.js";
import { mean } from "../math/statistics.js";
import type { Logistic } from "../zero-shot/reference.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";
import { fitLogistic } from "./fit-logistic.js";

/** Labelled items with their classes' texts and the neutral ones, in one space. */
export interface LabelledMaterial {
  /** [N, D] */
  items: Rows;
  /** [N] Class of each item, in 0..C-1. */
  classes: Int32Array;
  /** [C, D] */
  texts: Rows;
  /** [V, D] */
  neutral: Rows;
  logitScale: number;
}

/** A mean over splits, with the 2.5th and 97.5th percentile of the splits. */
interface OverSplits {
  value: number;
  interval: [number, number];
}

/** Its quality on classes it was not made from. */
interface CalibrationReport {
  splits: number;
  /** Known items against items of other classes. */
  auroc: OverSplits;
  /** Share of items of unseen classes that pass, with other classes as background. */
  false_alarms: { asked: number; realised: OverSplits }[];
  /** Known items that pass at the same rate. */
  accepted: { asked: number; share: OverSplits }[];
  /** For `multi_label` probabilities: every item with every offered label. */
  multi_label: { ece: OverSplits; ece_best_label: OverSplits };
}

const splits = 20;
const rates = [0.01, 0.05, 0.1];
/** Four classes known, two as background, two to be tested. */
const minClasses = 8;

/**
 * The curve from odds to probabilities, and the quality of it and of rejection on new classes.
 */
export interface FittedCalibration {
  logistic: Logistic;
  /** Null with too few classes to hold some out. */
  report: CalibrationReport | null;
}

/** @param seed  of the held-out splits. */
export function fitCalibration(
  material: LabelledMaterial,
  { seed = 1, signal }: { seed?: number; signal?: Cancellation } = {},
): FittedCalibration {
  const count = rowCount(material.texts);
  const odds = classOdds(material, signal);
  const every = Array.from({ length: count }, (_, c) => c);
  return {
    logistic: logisticOf(odds, material.classes, count, every),
    report: count < minClasses ? null : measure(odds, material.classes, count, { seed, signal }),
  };
}

/** Odds of each class's text against the neutral texts, [N, C], for every item. */
function classOdds(material: LabelledMaterial, signal?: Cancellation): Float32Array {
  const { items, texts, neutral, logitScale } = material;
  const [n, c] = [rowCount(items), rowCount(texts)];
  const odds = new Float32Array(n * c);
  for (let i = 0; i < n; i++) {
    throwIfCancelled(signal);
    const row = { values: rowAt(items, i), dimensions: items.dimensions };
    const share = logSumExp(cosines(row, neutral).map((s) => logitScale * s));
    const logits = cosines(row, texts);
    for (let j = 0; j < c; j++) odds[i * c + j] = logitScale * logits[j] - share;
  }
  return odds;
}

/** The curve from odds to probabilities, fitted on the items of some classes. */
function logisticOf(
  odds: Float32Array,
  classes: Int32Array,
  count: number,
  among: readonly number[],
): Logistic {
  const offered = new Set(among);
  const rows = [...classes.keys()].filter((i) => offered.has(classes[i]));
  const values = new Float64Array(rows.length * among.length);
  const hits = new Uint8Array(values.length);
  let at = 0;
  for (const i of rows) {
    for (const c of among) {
      values[at] = odds[i * count + c];
      hits[at++] = classes[i] === c ? 1 : 0;
    }
  }
  return fitLogistic(values, hits);
}

/**
 * Twenty times, half of the classes are offered, a quarter is the background and a quarter must be
 * rejected: no class is in two of them. The curve is fitted on the offered half and tested on the
 * other.
 */
function measure(
  odds: Float32Array,
  classes: Int32Array,
  count: number,
  { seed, signal }: { seed: number; signal?: Cancellation },
): CalibrationReport {
  const random = seededRandom(seed);
  const members = Array.from({ length: count }, (): number[] => []);
  for (const [i, c] of classes.entries()) members[c].push(i);
  const itemsOf = (some: readonly number[]) => some.flatMap((c) => members[c]);
  const runs: Record<string, number>[] = [];
  for (let split = 0; split < splits; split++) {
    throwIfCancelled(signal);
    const order = [...random.permutation(count)];
    const [half, quarter] = [Math.floor(count / 2), Math.floor((3 * count) / 4)];
    const [known, background, test] = [
      order.slice(0, half),
      order.slice(half, quarter),
      order.slice(quarter),
    ];
    const familiar = (some: readonly number[]) =>
      itemsOf(some).map((i) => logSumExp(known.map((c) => odds[i * count + c])));
    const [ofKnown, ofBackground, ofTest] = [known, background, test].map(familiar);
    const sorted = ofBackground.sort((a, b) => b - a);
    const run: Record<string, number> = { auroc: auroc(ofKnown, ofTest) };
    for (const rate of rates) {
      const allowed = Math.floor(rate * (sorted.length + 1)) - 1;
      const threshold = allowed < 0 ? Number.POSITIVE_INFINITY : sorted[allowed];
      const passing = (values: readonly number[]) => mean(values.map((x) => +(x > threshold)));
      run[`false ${rate}`] = passing(ofTest);
      run[`accepted ${rate}`] = passing(ofKnown);
    }
    const others = [...background, ...test];
    const { all, best } = errors(odds, count, {
      logistic: logisticOf(odds, classes, count, known),
      labels: others,
      items: itemsOf(others),
      classes,
    });
    runs.push({ ...run, all, best });
  }
  const over = (name: string): OverSplits => {
    const values = runs.map((run) => run[name]).sort((a, b) => a - b);
    const at = (share: number) => values[Math.round(share * (values.length - 1))];
    return { value: mean(values), interval: [at(0.025), at(0.975)] };
  };
  return {
    splits,
    auroc: over("auroc"),
    false_alarms: rates.map((asked) => ({ asked, realised: over(`false ${asked}`) })),
    accepted: rates.map((asked) => ({ asked, share: over(`accepted ${asked}`) })),
    multi_label: { ece: over("all"), ece_best_label: over("best") },
  };
}

/** Calibration errors over every item and label, and over each item's best label. */
function errors(
  odds: Float32Array,
  count: number,
  {
    logistic: { slope, offset },
    labels,
    items,
    classes,
  }: { logistic: Logistic; labels: number[]; items: number[]; classes: Int32Array },
): { all: number; best: number } {
  const all = { confidence: [] as number[], hits: [] as number[] };
  const best = { confidence: [] as number[], hits: [] as number[] };
  for (const i of items) {
    let top = { p: -1, hit: 0 };
    for (const c of labels) {
      const p = sigmoid(slope * odds[i * count + c] + offset);
      const hit = classes[i] === c ? 1 : 0;
      all.confidence.push(p);
      all.hits.push(hit);
      if (p > top.p) top = { p, hit };
    }
    best.confidence.push(top.p);
    best.hits.push(top.hit);
  }
  return {
    all: reliability(all.confidence, all.hits).ece,
    best: reliability(best.confidence, best.hits).ece,
  };
}
