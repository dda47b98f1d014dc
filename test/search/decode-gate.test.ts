import { describe, expect, it } from "vitest";
import { DecodeGate } from "../../src/search/decode-gate.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Inputs whose decoding and use end when they are told to. */
function inputs(gate: DecodeGate, size = 1) {
  const log: string[] = [];
  const start = (name: string, signal?: AbortSignal) => {
    let decoded = () => {};
    let used = () => {};
    const decoding = new Promise<void>((resolve) => (decoded = resolve));
    const using = new Promise<void>((resolve) => (used = resolve));
    const decode = () => {
      log.push(`decode ${name}`);
      return decoding;
    };
    const use = async () => {
      log.push(`use ${name}`);
      await using;
      return name;
    };
    return { done: gate.run(decode, { sizeOf: () => size, use, signal }), decoded, used };
  };
  return { log, start };
}

describe("DecodeGate", () => {
  it("decodes as many as there are threads, first come, first served", async () => {
    const { log, start } = inputs(new DecodeGate({ maxInputs: 10, maxDecoding: 2, maxBytes: 10 }));
    const [a, , c] = ["a", "b", "c", "d"].map((name) => start(name));
    await turn();
    expect(log).toEqual(["decode a", "decode b"]);
    a.decoded();
    await turn();
    expect(log).toEqual(["decode a", "decode b", "use a", "decode c"]);
    c.decoded();
    await turn();
    expect(log.slice(4)).toEqual(["use c", "decode d"]);
  });

  it("decodes nothing new while what is decoded takes too much, and goes on when it was used", async () => {
    const { log, start } = inputs(
      new DecodeGate({ maxInputs: 10, maxDecoding: 1, maxBytes: 8 }),
      5,
    );
    const [a, b, c] = ["a", "b", "c"].map((name) => start(name));
    a.decoded();
    await turn();
    b.decoded();
    await turn();
    expect(log).toEqual(["decode a", "use a", "decode b", "use b"]);
    a.used();
    expect(await a.done).toBe("a");
    await turn();
    expect(log.slice(4)).toEqual(["decode c"]);
    c.decoded();
    b.used();
    c.used();
    expect(await Promise.all([b.done, c.done])).toEqual(["b", "c"]);
  });

  it("makes room again after a failure or an abort", async () => {
    const gate = new DecodeGate({ maxInputs: 1, maxDecoding: 1, maxBytes: 1 });
    const fail = async () => {
      throw new Error("broken");
    };
    await expect(gate.run(fail, { sizeOf: () => 1, use: fail })).rejects.toThrow("broken");
    await expect(gate.run(async () => 1, { sizeOf: () => 1, use: fail })).rejects.toThrow("broken");
    const { log, start } = inputs(gate);
    await expect(start("a", AbortSignal.abort(new Error("gone"))).done).rejects.toThrow("gone");
    start("b");
    await turn();
    expect(log).toEqual(["decode b"]);
  });
});
