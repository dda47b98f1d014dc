import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processUsage } from "../src/media/process-usage.js";

/** A server of this build in a process of its own. */
export interface ServerProcess {
  url: string;
  pid: number;
  /** Of the server and the processes that it has started; pages that they share count for each. */
  residentBytes(): number;
  /** SIGTERM. @returns how it ended, and after how many milliseconds. */
  stop(): Promise<{ code: number | null; signal: string | null; ms: number }>;
}

/**
 * Resolves when it is ready.
 * @param flags  more of `crossmodal serve`.
 * @param dataDir  without one it has an empty folder, which goes with it.
 */
export async function startServerProcess({
  port,
  flags = [],
  dataDir,
}: {
  port: number;
  flags?: string[];
  dataDir?: string;
}): Promise<ServerProcess> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), "crossmodal-bench-"));
  const serverFlags = ["--port", `${port}`, "--data-dir", folder, "--log-level", "error"];
  const child = spawn(process.execPath, ["dist/cli.js", "serve", ...serverFlags, ...flags], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const pid = child.pid!;
  const onExit = () => void child.kill("SIGKILL");
  process.once("exit", onExit);
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once("exit", (code, signal) => {
      process.off("exit", onExit);
      if (dataDir === undefined) rmSync(folder, { recursive: true, force: true });
      resolve({ code, signal });
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error("The server ended before it was ready");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    pid,
    residentBytes: () => processUsage(pid)?.residentBytes ?? 0,
    async stop() {
      const start = performance.now();
      child.kill("SIGTERM");
      return { ...(await ended), ms: performance.now() - start };
    },
  };
}
