import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

/** Starts threads that allocate. @returns how many arenas glibc made for them, by its own count. */
async function arenasWith(environment: NodeJS.ProcessEnv): Promise<number> {
  const script = `
    import { Worker } from "node:worker_threads";
    import koffi from "koffi";
    const { tuneAllocator } = await import("./src/allocator.ts");
    tuneAllocator();
    const printArenas = koffi.load(null).func("void malloc_stats()");
    printArenas();
    const work = "const kept = Array.from({ length: 64 }, () => Buffer.allocUnsafeSlow(50_000));" +
      "(await import('node:worker_threads')).parentPort.postMessage(kept.length)";
    const workers = Array.from({ length: 8 }, () => new Worker(work, { eval: true }));
    await Promise.all(workers.map((worker) => new Promise((done) => worker.once("message", done))));
    console.error("threads");
    printArenas();
    process.exit();
  `;
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", script],
    { env: { ...process.env, MALLOC_ARENA_MAX: undefined, ...environment } },
  );
  const [before, after] = stderr.split("threads").map((part) => part.match(/^Arena/gm)!.length);
  return after - before;
}

describe.runIf(process.platform === "linux")("tuneAllocator", () => {
  it("lets threads share the arenas there are, unless the environment names a number", async () => {
    const [limited, asked] = await Promise.all([
      arenasWith({}),
      arenasWith({ MALLOC_ARENA_MAX: "32" }),
    ]);
    expect(limited).toBeLessThanOrEqual(1);
    expect(asked).toBeGreaterThanOrEqual(4);
  }, 60_000);
});
