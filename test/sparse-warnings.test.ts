import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Log } from "../src/log.js";
import { sparseWarnings } from "../src/sparse-warnings.js";

describe("sparseWarnings", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("logs one in ten seconds and counts the others", () => {
    const warn = vi.fn();
    const tell = sparseWarnings({ warn } as unknown as Log);
    for (let i = 0; i < 5; i++) tell(new Error(`crash ${i}`));
    expect(warn.mock.calls).toEqual([[{}, "crash 0"]]);
    vi.advanceTimersByTime(10_000);
    tell(new Error("crash 5"));
    tell(new Error("crash 6"));
    expect(warn.mock.calls.slice(1)).toEqual([[{ leftOut: 4 }, "crash 5"]]);
  });
});
