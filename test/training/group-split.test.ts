import { describe, expect, it } from "vitest";
import { groupSplit } from "../../src/training/group-split.js";

describe("groupSplit", () => {
  it("keeps a group on one side, and every pair on exactly one", () => {
    const groups = Array.from({ length: 200 }, (_, i) => (i % 10 === 0 ? undefined : `r${i % 23}`));
    const { train, validation, test } = groupSplit(groups);
    const sides = [train, validation, test];
    expect(sides.flat().sort((a, b) => a - b)).toEqual([...groups.keys()]);
    const named = sides.map((side) => new Set(side.flatMap((i) => groups[i] ?? [])));
    for (const group of named[0]) {
      expect(named[1].has(group)).toBe(false);
      expect(named[2].has(group)).toBe(false);
    }
    for (const group of named[1]) expect(named[2].has(group)).toBe(false);
    expect(test.length).toBeGreaterThanOrEqual(40);
    expect(test.length).toBeLessThan(60);
  });

  it("is the same for a seed, and another for another", () => {
    const groups = Array.from({ length: 50 }, (_, i) => `r${i % 20}`);
    expect(groupSplit(groups, { seed: 3 })).toEqual(groupSplit(groups, { seed: 3 }));
    expect(groupSplit(groups, { seed: 3 })).not.toEqual(groupSplit(groups, { seed: 4 }));
  });
});
