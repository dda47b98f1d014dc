import { bridgeTexts } from "../training/bridge-texts.js";
import type { BridgeComparison } from "../training/compare-bridges.js";
import type { ListedBridge } from "./bridge-version.js";

/** Of texts that are given, one in five is not fitted on, as far as there are so many. */
const heldOutShare = 5;
const fewestToDivide = 50;
const maxHeldOut = 500;
/** Of the built-in sentences, for every bridge the same. */
const builtInShare = 10;

/**
 * The texts that a bridge is fitted on, and those that it is measured by: one in ten of the
 * built-in sentences, which no bridge made here has seen, and some of the given texts.
 */
export function divideTexts(given: readonly string[] | undefined) {
  const builtIn = [...new Set(bridgeTexts())];
  const common = builtIn.filter((_, i) => i % builtInShare === 0);
  const isCommon = new Set(common);
  if (given === undefined)
    return { texts: builtIn.filter((text) => !isCommon.has(text)), heldOut: common };
  const texts = [...new Set(given)];
  const own =
    texts.length < fewestToDivide
      ? []
      : texts.filter((_, i) => i % heldOutShare === 0).slice(0, maxHeldOut);
  const isGiven = new Set(texts);
  const isOwn = new Set(own);
  return {
    texts: texts.filter((text) => !isOwn.has(text)),
    heldOut: [...common.filter((text) => !isGiven.has(text)), ...own],
  };
}

interface BridgeVerdict extends BridgeComparison {
  reason: string;
}

/**
 * @param memory  items that are not labelled, of the model that asks, that the bridge was given.
 */
export function verdictOf(
  comparison: BridgeComparison,
  inUse: ListedBridge | undefined,
  memory: number,
): BridgeVerdict {
  const { texts, before, after, interval } = comparison;
  const than = inUse === undefined ? "chance" : `the bridge in use, "${inUse.name}"`;
  const numbers =
    `mean reciprocal rank ${before.toFixed(3)} -> ${after.toFixed(3)}, 95 % interval of the ` +
    `change ${interval.map((x) => x.toFixed(3)).join(" to ")}, on ${texts} held-out texts`;
  const reason = comparison.improved
    ? `Better than ${than}: ${numbers}.`
    : `Not beyond doubt better than ${than}: ${numbers}.`;
  const report = inUse?.versions.find(({ active }) => active)?.report;
  const usesMemory = memoryOf(report) > 0;
  if (!usesMemory || memory > 0) return { ...comparison, reason };
  const lack =
    "The bridge in use was given items of the model that asks and this one was not, which " +
    "texts do not show: give it some (from_collection), or activate it by hand.";
  return { ...comparison, improved: false, reason: `${reason} ${lack}` };
}

/**
 * What a report says of the items that its bridge was given; those that are shipped say "sounds".
 */
function memoryOf(report: unknown): number {
  const { memory } = (report ?? {}) as { memory?: { from?: number; sounds?: number } };
  return memory?.from ?? memory?.sounds ?? 0;
}
