import { describe, expect, it } from "vitest";
import { BodyBudget } from "../../src/media/body-budget.js";

const { signal } = new AbortController();
const MiB = 2 ** 20;

describe("BodyBudget, requests", () => {
  it("refuses what finds no room, and has room again when it is given back", () => {
    const budget = new BodyBudget(40 * MiB, () => 0);
    const [a, b] = [budget.request(), budget.request()];
    a.add(20 * MiB);
    expect(() => b.add(11 * MiB)).toThrow(
      expect.objectContaining({ code: "overloaded", retryAfterSeconds: expect.any(Number) }),
    );
    expect(budget.bytes).toBe(20 * MiB);
    a.release();
    b.add(11 * MiB);
    expect(budget.bytes).toBe(11 * MiB);
  });

  it("keeps room for small bodies, and takes one that is alone", () => {
    const budget = new BodyBudget(40 * MiB, () => 0);
    budget.request().add(30 * MiB);
    expect(() => budget.request().add(2 * MiB)).toThrow(/request bodies/);
    budget.request().add(MiB);
    const alone = new BodyBudget(MiB).request();
    alone.add(2 * MiB);
    alone.add(2 * MiB);
  });
});

describe("BodyBudget, streams", () => {
  it("lets a stream wait until another has given bytes back", async () => {
    const budget = new BodyBudget(1000);
    const [first, second] = [budget.stream(), budget.stream()];
    await first.take(400, signal);
    await second.take(100, signal);
    let isIn = false;
    const waiting = second.take(50, signal).then(() => {
      isIn = true;
    });
    await Promise.resolve();
    expect(isIn).toBe(false);
    first.give(50);
    await waiting;
    expect(budget.bytes).toBe(500);
  });

  it("always lets the one go on that has held bytes for the longest", async () => {
    const budget = new BodyBudget(1000);
    const [first, second] = [budget.stream(), budget.stream()];
    await first.take(450, signal);
    await second.take(50, signal);
    await first.take(5000, signal); // a line larger than all there is
    const waiting = second.take(5000, signal);
    first.release();
    await waiting; // now it is the first
    second.release();
    expect(budget.bytes).toBe(0);
  });

  it("ends the wait of a stream whose client has gone", async () => {
    const budget = new BodyBudget(1000);
    await budget.stream().take(500, signal);
    const gone = new AbortController();
    const waiting = budget.stream().take(1, gone.signal);
    gone.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
  });

  it("counts nothing more of a stream that has ended", async () => {
    const budget = new BodyBudget(1000);
    const stream = budget.stream();
    stream.release();
    await stream.take(100, signal);
    expect(budget.bytes).toBe(0);
  });
});
