import { bridgeTexts } from "../training/bridge-texts.js";
import type { BridgeComparison } from "../training/compare-bridges.js";
import type { ListedBridge } from "./bridge-version.js";

/** Of given texts, one in five is held out, up to this many. */
const heldOutShare = 5;
const minToDivide = 50;
const maxHeldOut = 500;
/** For the built-in sentences, the same for every bridge. */
const builtInShare = 10;

/**
 * The texts that a bridge is fitted on, and the held-out ones: one in ten of the built-in
 * sentences, which no bridge made here has seen, and some of the given texts.
 */
export function divideTexts(customTexts: readonly string[] | undefined) {
  const builtIn = [...new Set(bridgeTexts())];
  const common = builtIn.filter((_, i) => i % builtInShare === 0);
  const isCommon = new Set(common);
  if (customTexts === undefined)
    return { texts: builtIn.filter((text) => !isCommon.has(text)), heldOut: common };
  const texts = [...new Set(customTexts)];
  const heldOut =
    texts.length < minToDivide
      ? []
      : texts.filter((_, i) => i % heldOutShare === 0).slice(0, maxHeldOut);
  const isGiven = new Set(texts);
  const isHeldOut = new Set(heldOut);
  return {
    texts: texts.filter((text) => !isHeldOut.has(text)),
    heldOut: [...common.filter((text) => !isGiven.has(text)), ...heldOut],
  };
}

interface BridgeVerdict extends BridgeComparison {
  reason: string;
}

/**
 * @param memory  unlabelled items of the query model that the bridge was given.
 */
export function verdictOf(
  comparison: BridgeComparison,
  inUse: ListedBridge | undefined,
  memory: number,
): BridgeVerdict {
  const { texts, before, after, interval } = comparison;
  const baseline = inUse === undefined ? "chance" : `the bridge in use, "${inUse.name}"`;
  const numbers =
    `mean reciprocal rank ${before.toFixed(3)} -> ${after.toFixed(3)}, 95 % interval of the ` +
    `change ${interval.map((x) => x.toFixed(3)).join(" to ")}, on ${texts} held-out texts`;
  const reason = comparison.improved
    ? `Better than ${baseline}: ${numbers}.`
    : `Not significantly better than ${baseline}: ${numbers}.`;
  const report = inUse?.versions.find(({ active }) => active)?.report;
  const usesMemory = memoryOf(report) > 0;
  if (!usesMemory || memory > 0) return { ...comparison, reason };
  const caveat =
    "The bridge in use was given items of the query model and this one was not, which texts " +
    'do not show: give it some with "from_collection", or activate it by hand.';
  return { ...comparison, improved: false, reason: `${reason} ${caveat}` };
}

/**
 * What a report says about its bridge's items; shipped reports say "sounds".
 */
function memoryOf(report: unknown): number {
  const { memory } = (report ?? {}) as { memory?: { from?: number; sounds?: number } };
  return memory?.from ?? memory?.sounds ?? 0;
}
