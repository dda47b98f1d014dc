import { describe, expect, it } from "vitest";
import { withBatching } from "../../src/encoders/with-batching.js";
import { withPatience } from "../../src/encoders/with-patience.js";
import { fakeEncoder } from "../helpers/fake-encoder.js";

describe("withPatience", () => {
  const full = () => withBatching(fakeEncoder(20), { maxBatch: 1, maxQueued: 2 });

  it("waits until there is room where the encoder alone refuses", async () => {
    const encoder = full();
    const calls = Array.from({ length: 8 }, (_, i) => encoder.encode(["x".repeat(i + 1)]));
    expect((await Promise.allSettled(calls)).some(({ status }) => status === "rejected")).toBe(
      true,
    );
    const patient = withPatience(full());
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => patient.encode(["x".repeat(i + 1)])),
    );
    expect(answers.map(([embedding]) => embedding[0])).toEqual(
      answers.map((_, i) => Math.fround(Math.cos(0.1 * (i + 1)))),
    );
  });

  it("passes on every other error, and stops waiting when it is aborted", async () => {
    const patient = withPatience(full());
    await expect(patient.encode(["bad"])).rejects.toThrow("cannot be encoded");
    const encoder = full();
    const busy = encoder.encode(["a", "b", "c"]);
    const stop = new AbortController();
    const waiting = withPatience(encoder).encode(["d", "e"], stop.signal);
    setTimeout(() => stop.abort(new Error("gone")), 1);
    await expect(waiting).rejects.toThrow("gone");
    await busy;
  });
});
