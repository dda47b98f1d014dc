import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { openSession, type Session } from "../../src/encoders/session.js";
import type { Log } from "../../src/log.js";

/**
 * y = x * 2 as ONNX bytes (ir 8, opset 17), written out by hand: x float32 ["n"], initializer two =
 * [2]. Field numbers are those of onnx.proto3.
 */
function doublingGraph(): Uint8Array {
  const bytes = (tag: number, body: number[]) => [(tag << 3) | 2, body.length, ...body];
  const text = (tag: number, value: string) => bytes(tag, [...Buffer.from(value)]);
  const varint = (tag: number, value: number) => [tag << 3, value];
  // Tensor_type: float, shape [n]
  const type = bytes(1, [...varint(1, 1), ...bytes(2, bytes(1, text(2, "n")))]);
  const value = (name: string) => [...text(1, name), ...bytes(2, type)];
  // Dims [1], float, raw 2.0
  const two = [...varint(1, 1), ...varint(2, 1), ...bytes(9, [0, 0, 0, 0x40]), ...text(8, "two")];
  const node = [...text(1, "x"), ...text(1, "two"), ...text(2, "y"), ...text(4, "Mul")];
  const graph = [
    ...bytes(1, node),
    ...text(2, "doubling"),
    ...bytes(5, two),
    ...bytes(11, value("x")),
    ...bytes(12, value("y")),
  ];
  return Uint8Array.from([...varint(1, 8), ...bytes(7, graph), ...bytes(8, varint(2, 17))]);
}

describe("openSession", () => {
  let session: Session | undefined;
  afterEach(async () => {
    await session?.close();
    session = undefined;
  });

  it("runs a graph in its own thread and says what it takes and where it runs", async () => {
    session = await openSession({ model: doublingGraph(), device: "cpu" });
    expect(session.info).toMatchObject({
      inputs: [{ name: "x", type: "float32", dims: ["n"] }],
      outputs: [{ name: "y" }],
      provider: "cpu",
    });
    const { y } = await session.run({
      x: { type: "float32", dims: [3], data: Float32Array.of(1, 2, 3) },
    });
    expect(y).toEqual({ type: "float32", dims: [3], data: Float32Array.of(2, 4, 6) });
  });

  it("answers two runs started together each with its own result", async () => {
    session = await openSession({ model: doublingGraph(), device: "cpu" });
    const run = (x: number) =>
      session!.run({ x: { type: "float32", dims: [1], data: Float32Array.of(x) } });
    const results = await Promise.all([run(1), run(10)]);
    expect(results.map(({ y }) => y.data[0])).toEqual([2, 20]);
  });

  it.runIf(process.platform === "linux")(
    "gives way to the thread that answers requests",
    async () => {
      // proc_pid_stat(5): the niceness is the 19th field, the name before them may hold spaces.
      const nicenessOf = (thread: string) =>
        Number(
          readFileSync(`/proc/self/task/${thread}/stat`, "latin1").split(") ")[1].split(" ")[16],
        );
      const before = new Set(readdirSync("/proc/self/task"));
      const options = { model: doublingGraph(), device: "cpu", threads: 2 } as const;
      session = await openSession(options);
      const started = readdirSync("/proc/self/task").filter((thread) => !before.has(thread));
      const expected = Math.min(19, getPriority() + 5);
      // Its own and the one beside it that ONNX Runtime starts
      expect(started.filter((thread) => nicenessOf(thread) === expected).length).toBe(2);
      expect(nicenessOf(String(process.pid))).toBe(getPriority());
    },
  );

  it("auto falls back to the CPU and gives the reason when CUDA cannot be had", async () => {
    session = await openSession({ model: doublingGraph(), device: "auto" });
    if (session.info.provider === "cpu") expect(session.info.fallbackReason).toMatch(/cuda/i);
    else expect(session.info.provider).toBe("cuda");
  });

  it("refuses an explicit device that is not available", async () => {
    await expect(openSession({ model: doublingGraph(), device: "cuda:99" })).rejects.toMatchObject({
      code: "device_unavailable",
      param: "device",
    });
  });

  it("refuses bytes that are not a graph, and a file that is not there", async () => {
    await expect(
      openSession({ model: Uint8Array.of(1, 2, 3), device: "cpu" }),
    ).rejects.toMatchObject({
      code: "model_corrupt",
    });
    await expect(openSession({ model: "nowhere.onnx", device: "cpu" })).rejects.toMatchObject({
      code: "model_corrupt",
    });
  });

  it("survives a bad feed, and says in the log that it failed", async () => {
    const warnings: string[] = [];
    const log = { warn: (_: object, message: string) => warnings.push(message) } as unknown as Log;
    const name = "The doubling graph";
    session = await openSession({ model: doublingGraph(), device: "cpu" }, { name, log });
    await expect(session.run({})).rejects.toThrow(/missing/i);
    expect(warnings).toEqual([
      expect.stringMatching(/^The doubling graph failed to run: .*missing/),
    ]);
    const { y } = await session.run({
      x: { type: "float32", dims: [1], data: Float32Array.of(4) },
    });
    expect(y.data[0]).toBe(8);
  });
});
