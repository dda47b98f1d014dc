import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Log } from "../../src/log.js";
import { crashLog } from "../../src/media/crash-log.js";

describe("crashLog", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("tells one crash in ten seconds and counts the others", () => {
    const warn = vi.fn();
    const tell = crashLog({ warn } as unknown as Log);
    for (let i = 0; i < 5; i++) tell(new Error(`crash ${i}`));
    expect(warn.mock.calls).toEqual([[{}, "crash 0"]]);
    vi.advanceTimersByTime(10_000);
    tell(new Error("crash 5"));
    tell(new Error("crash 6"));
    expect(warn.mock.calls.slice(1)).toEqual([[{ leftOut: 4 }, "crash 5"]]);
  });
});
