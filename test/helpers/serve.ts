import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ServedProcess {
  url: string;
  dataDir: string;
  child: ChildProcess;
  ended: Promise<number | null>;
  /** What it wrote so far, on stdout and stderr. */
  output(): string;
}

/**
 * A server as a user starts it; resolves with its address once it listens. The caller kills
 * `child`.
 */
export async function serve(
  args: readonly string[] = [],
  dataDir = mkdtempSync(join(tmpdir(), "crossmodal-server-")),
) {
  const flags = [
    "--data-dir",
    dataDir,
    "--device",
    "cpu",
    "--log-level",
    "warn",
    "--port",
    "0",
    ...args,
  ];
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli.ts", "serve", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const look = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /listens on (https?:\S+)/.exec(output);
      if (found !== null) resolve(found[1]);
    };
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
    void ended.then((code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
  return { url, dataDir, child, ended, output: () => output } satisfies ServedProcess;
}

/** Resolves once its models have answered. */
export async function untilReady({ url, ended }: ServedProcess): Promise<void> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  while (!(await fetch(`${url}/health/ready`)).ok) {
    if (hasEnded) throw new Error("The server ended before it was ready");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
