import { expect, it, vi } from "vitest";
import { BulkBatchSize } from "../../src/encoders/bulk-batch-size.js";
import { asInteractive } from "../../src/priority.js";

it("keeps bulk batches short while somebody asks and for some seconds, and else full", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    vi.setSystemTime(0);
    const size = new BulkBatchSize(32);
    await asInteractive(async () => expect(size.size).toBe(32)); // nothing has run yet
    const after = (ms: number, inputs: number) => {
      size.ran(ms, inputs);
      return size.size;
    };
    // 12 ms: as many inputs as fit, a power of two, at least two and at most a full batch
    expect(after(3, 8)).toBe(32);
    expect(after(12, 8)).toBe(8);
    expect(after(14, 8)).toBe(4);
    expect(after(30, 10)).toBe(4);
    expect(after(300, 8)).toBe(2);
    vi.advanceTimersByTime(4999);
    expect(size.size).toBe(2);
    vi.advanceTimersByTime(1);
    expect(size.size).toBe(32);
  } finally {
    vi.useRealTimers();
  }
});
