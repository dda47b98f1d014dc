import { describe, expect, it } from "vitest";
import { RateLimit } from "../../src/access/rate-limit.js";

describe("requests a minute", () => {
  it("come in a burst or steadily, and are as many in the long run", () => {
    let ms = 0;
    const limit = new RateLimit(() => ms);
    const taken = (caller: string) => limit.take(caller, 60) === 0;
    expect(Array.from({ length: 60 }, () => taken("a")).every(Boolean)).toBe(true);
    expect(limit.take("a", 60)).toBeCloseTo(1);
    ms = 999;
    expect(taken("a")).toBe(false);
    ms = 1000;
    expect(taken("a")).toBe(true);
    expect(taken("a")).toBe(false);
    expect(taken("b")).toBe(true);
  });

  it("are counted for a bounded number of callers, at no greater cost for many", () => {
    const limit = new RateLimit(() => 0);
    limit.take("first", 1);
    expect(limit.take("first", 1)).toBeGreaterThan(0);
    for (let i = 0; i < 100_000; i++) limit.take(`${i}`, 1);
    expect(limit.take("first", 1)).toBe(0); // forgotten
    expect(limit.take("99999", 1)).toBeGreaterThan(0);
  });

  it("never add up to more than a minute's", () => {
    let ms = 0;
    const limit = new RateLimit(() => ms);
    limit.take("a", 2);
    ms = 3_600_000;
    expect([1, 2, 3].map(() => limit.take("a", 2) === 0)).toEqual([true, true, false]);
  });
});
