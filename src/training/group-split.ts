import { seededRandom } from "../math/random.js";

/** Positions of pairs in a training request. */
export interface Split {
  train: number[];
  validation: number[];
  test: number[];
}

/**
 * A random split in which no group is on two sides: clips of one recording would leak into the
 * test. Groups are dealt until a side has its share, so sides may be larger than requested by part
 * of a group.
 *
 * @param groups  one for each pair; pairs without one are their own group.
 */
export function groupSplit(
  groups: readonly (string | undefined)[],
  {
    testShare = 0.2,
    validationShare = 0.15,
    seed = 1,
  }: { testShare?: number; validationShare?: number; seed?: number } = {},
): Split {
  const members = new Map<string, number[]>();
  for (const [i, group] of groups.entries()) {
    const key = group === undefined ? `pair ${i}` : `group ${group}`;
    const found = members.get(key);
    if (found) found.push(i);
    else members.set(key, [i]);
  }
  const all = [...members.values()];
  const split: Split = { train: [], validation: [], test: [] };
  const tested = testShare * groups.length;
  const validated = validationShare * (groups.length - tested);
  for (const at of seededRandom(seed).permutation(all.length)) {
    const side =
      split.test.length < tested
        ? split.test
        : split.validation.length < validated
          ? split.validation
          : split.train;
    side.push(...all[at]);
  }
  return split;
}
