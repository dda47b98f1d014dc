import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { endWhenRevoked } from "../../src/access/end-when-revoked.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** An answer that is being sent; `close` comes once. */
function answer({ isClosed = false } = {}) {
  const emitter = new EventEmitter();
  return {
    destroyed: isClosed,
    once: emitter.once.bind(emitter) as never,
    destroy() {
      this.destroyed = true;
      emitter.emit("close");
      return this as never;
    },
  };
}

describe("endWhenRevoked", () => {
  it("ends an answer when its key is revoked, and says so once", async () => {
    const outgoing = answer();
    let isAdmitted = true;
    const onRevoked = vi.fn();
    endWhenRevoked(outgoing, async () => isAdmitted, onRevoked);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(outgoing.destroyed).toBe(false);
    isAdmitted = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(outgoing.destroyed).toBe(true);
    expect(onRevoked).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves no timer once the answer is sent, nor for a client that had gone before", () => {
    const outgoing = answer();
    endWhenRevoked(outgoing, async () => true, vi.fn());
    expect(vi.getTimerCount()).toBe(1);
    outgoing.destroy();
    expect(vi.getTimerCount()).toBe(0);
    endWhenRevoked(answer({ isClosed: true }), async () => true, vi.fn());
    expect(vi.getTimerCount()).toBe(0);
  });
});
