import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const child = fileURLToPath(new URL("./media-priority-child.ts", import.meta.url));

describe.skipIf(process.platform !== "linux")("a media thread", () => {
  it("gives way to the threads of its process, also where that gives way itself", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child]);
    const { own, all } = JSON.parse(stdout) as { own: number; all: number[] };
    expect(all).toContain(Math.min(19, own + 5));
    expect(own).toBeGreaterThanOrEqual(10);
  });
});
