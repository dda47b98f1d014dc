import { auroc } from "../math/auroc.js";
import { type Random, seededRandom } from "../math/random.js";
import { type ReliabilityBin, reliability } from "../math/reliability.js";
import { bootstrap, type Interval, mean } from "../math/statistics.js";
import { type ClassFigures, classFigures, confusionOf } from "./confusion.js";
import { type Retrieval, retrievalOf } from "./retrieval.js";

/** The answer for one item. */
export interface ScoredItem {
  id: string;
  /** Position of its label; undefined when none of the labels fits. */
  label: number | undefined;
  /** Items of one group are related, such as clips of one recording, and are drawn together. */
  group?: string;
  /** [L] One for each label, in their order. */
  scores: readonly number[];
  /** How familiar it looks given the labels; by default its best score. */
  familiarity?: number;
  /** Whether it was accepted as known, if that was checked. */
  known?: boolean;
}

/** A figure with its 95 % bootstrap interval. */
export interface Figure {
  value: number;
  interval: Interval;
}

export interface Evaluation {
  labels: string[];
  /** Items with a label, items without, and groups of both. */
  items: { known: number; unknown: number; groups: number };
  accuracy: Figure;
  /** Means over labels that have items. */
  macro: { precision: Figure; recall: Figure; f1: Figure };
  per_class: ClassFigures[];
  /** [label][answer] */
  confusion: number[][];
  /** Of the best score, as the probability of being right. */
  calibration: { ece: Figure; mean_confidence: number; bins: ReliabilityBin[] };
  retrieval: Retrieval;
  /** Null when every item has a label. */
  known_unknown: {
    auroc: Figure;
    /** Shares accepted as known; null if that was not checked. */
    false_alarms: Figure | null;
    accepted: Figure | null;
  } | null;
}

/**
 * Every figure of an evaluation, with intervals that draw whole groups with replacement.
 *
 * @param labels  L names; at least one item has one of them.
 */
export function evaluate(
  labels: readonly string[],
  items: readonly ScoredItem[],
  { seed = 1, draws = 1000 }: { seed?: number; draws?: number } = {},
): Evaluation {
  const answers = items.map(({ scores }) => bestOf(scores));
  const labelled = [...items.keys()].filter((i) => items[i].label !== undefined);
  const unknown = [...items.keys()].filter((i) => items[i].label === undefined);
  if (labelled.length === 0) throw new RangeError("Expected at least one item with a label");
  const hits = items.map(({ label }, i) => +(label === answers[i]));
  const confidence = items.map(({ scores }, i) => scores[answers[i]]);
  const confusion = (some: readonly number[]) =>
    confusionOf(
      some.map((i) => items[i].label!),
      some.map((i) => answers[i]),
      labels.length,
    );
  const at = <T>(values: readonly T[], some: readonly number[]) => some.map((i) => values[i]);

  const over = figuresOver(items, { random: seededRandom(seed), draws });
  const perClass = classFigures(labels, confusion(labelled));
  const macro = (name: "precision" | "recall" | "f1") =>
    over(labelled, (some) => macroOf(classFigures(labels, confusion(some)), name));
  const familiarity = items.map((item, i) => item.familiarity ?? confidence[i]);
  const passed = items.map((item) => +(item.known === true));
  const isAsked = items.some((item) => item.known !== undefined);
  const share = (some: readonly number[]) => mean(at(passed, some));
  const ofLabel = (some: readonly number[], isKnown: boolean) =>
    some.filter((i) => (items[i].label !== undefined) === isKnown);
  return {
    labels: [...labels],
    items: {
      known: labelled.length,
      unknown: unknown.length,
      groups: new Set(items.map(groupOf)).size,
    },
    accuracy: over(labelled, (some) => mean(at(hits, some))),
    macro: { precision: macro("precision"), recall: macro("recall"), f1: macro("f1") },
    per_class: perClass,
    confusion: confusion(labelled),
    calibration: {
      ece: over(labelled, (some) => reliability(at(confidence, some), at(hits, some)).ece),
      mean_confidence: mean(at(confidence, labelled)),
      bins: reliability(at(confidence, labelled), at(hits, labelled)).bins,
    },
    retrieval: retrievalOf(
      labelled.map((i) => ({ label: items[i].label!, scores: items[i].scores })),
      labels.length,
    ),
    known_unknown:
      unknown.length === 0
        ? null
        : {
            auroc: over([...items.keys()], (some) =>
              auroc(at(familiarity, ofLabel(some, true)), at(familiarity, ofLabel(some, false))),
            ),
            false_alarms: isAsked ? over(unknown, share) : null,
            accepted: isAsked ? over(labelled, share) : null,
          },
  };
}

/** How the answers of two models differ on the same items. */
export interface Comparison {
  /** Accuracy of each, and their paired difference (second minus first). */
  accuracy: { first: number; second: number; difference: Figure };
  /**
   * Items that only one of them got right, and the exact p-value of so uneven a split (McNemar).
   */
  only_first: number;
  only_second: number;
  p_value: number;
}

/** @param first  and `second`: the same items in the same order. */
export function compare(
  first: readonly ScoredItem[],
  second: readonly ScoredItem[],
  { seed = 1, draws = 1000 }: { seed?: number; draws?: number } = {},
): Comparison {
  if (first.length !== second.length || first.some(({ id }, i) => id !== second[i].id))
    throw new RangeError("Expected the same items in the same order");
  const labelled = [...first.keys()].filter((i) => first[i].label !== undefined);
  const hit = ({ label, scores }: ScoredItem) => +(label === bestOf(scores));
  const [one, other] = [first.map(hit), second.map(hit)];
  const over = figuresOver(first, { random: seededRandom(seed), draws, isDifference: true });
  const [onlyFirst, onlySecond] = [
    labelled.filter((i) => one[i] > other[i]).length,
    labelled.filter((i) => other[i] > one[i]).length,
  ];
  return {
    accuracy: {
      first: mean(labelled.map((i) => one[i])),
      second: mean(labelled.map((i) => other[i])),
      difference: over(labelled, (some) => mean(some.map((i) => other[i] - one[i]))),
    },
    only_first: onlyFirst,
    only_second: onlySecond,
    p_value: signTest(onlyFirst, onlySecond),
  };
}

/** The first of the largest: the top answer. */
const bestOf = (scores: readonly number[]) =>
  scores.reduce((best, score, i) => (score > scores[best] ? i : best), 0);

const groupOf = ({ group, id }: ScoredItem) => (group === undefined ? `item ${id}` : `of ${group}`);

const macroOf = (figures: readonly ClassFigures[], name: "precision" | "recall" | "f1") =>
  mean(figures.filter(({ support }) => support > 0).map((figure) => figure[name]));

/** A statistic of some items with its interval, for which whole groups are drawn. */
function figuresOver(
  items: readonly ScoredItem[],
  {
    random,
    draws,
    isDifference = false,
  }: { random: Random; draws: number; isDifference?: boolean },
) {
  return (some: readonly number[], statistic: (positions: readonly number[]) => number): Figure => {
    const groups = new Map<string, number[]>();
    for (const i of some) {
      const group = groups.get(groupOf(items[i]));
      if (group) group.push(i);
      else groups.set(groupOf(items[i]), [i]);
    }
    const members = [...groups.values()];
    const drawn = (positions: Uint32Array) =>
      statistic(Array.from(positions).flatMap((group) => members[group]));
    const figure = {
      value: statistic(some),
      interval: bootstrap(members.length, drawn, random, { draws }),
    };
    return { ...figure, interval: notOfNothing(figure, members.length, isDifference) };
  };
}

/**
 * Items that are all right, or all wrong, are so in every draw, which would leave an interval of
 * width 0. There it is Wilson's for so many groups, and around a difference of 0 as wide to both
 * sides: 10 of 10 right are 72 to 100 %.
 */
function notOfNothing(
  { value, interval }: Figure,
  groups: number,
  isDifference: boolean,
): Interval {
  if (interval[0] !== interval[1]) return interval;
  const margin = 1.96 ** 2 / (groups + 1.96 ** 2);
  if (value === 1) return [1 - margin, 1];
  if (value !== 0) return interval;
  return [isDifference ? -margin : 0, margin];
}

/**
 * Two-sided exact probability of a split at least as uneven, when both sides are equally likely.
 */
function signTest(a: number, b: number): number {
  const n = a + b;
  if (n === 0) return 1;
  let logChoose = 0; // ln of n over k
  let tail = 0;
  for (let k = 0; k <= Math.min(a, b); k++) {
    if (k > 0) logChoose += Math.log((n - k + 1) / k);
    tail += Math.exp(logChoose - n * Math.LN2);
  }
  return Math.min(1, 2 * tail);
}
