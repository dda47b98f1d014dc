import { vi } from "vitest";
import { main } from "../../src/command-line.js";

/** Runs a command line in this process. Results come back as `stdout`, messages as `stderr`. */
export async function runMain(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const lines = { stdout: [] as string[], stderr: [] as string[] };
  const spies = [
    vi.spyOn(console, "log").mockImplementation((line) => void lines.stdout.push(String(line))),
    vi.spyOn(console, "error").mockImplementation((line) => void lines.stderr.push(String(line))),
    // commander writes its usage errors here
    vi
      .spyOn(process.stderr, "write")
      .mockImplementation((text) => lines.stderr.push(String(text)) > 0),
  ];
  try {
    const code = await main(args);
    return { code, stdout: lines.stdout.join("\n"), stderr: lines.stderr.join("\n") };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
