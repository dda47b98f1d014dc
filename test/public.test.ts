import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as library from "../src/public.js";

const page = readFileSync(fileURLToPath(new URL("../docs/library.md", import.meta.url)), "utf8");
const [, code] = /```js\n(.*?)```/s.exec(page)!;
const [, printed] = /It prints\n\n```\n(.*?)```/s.exec(page)!;

describe("docs/library.md", () => {
  it("prints what it says", async () => {
    // The package's name stands for src/public.ts here, so that no build is needed.
    const source = new URL("../src/public.js", import.meta.url).href.replace(/\.js$/, ".ts");
    const folder = mkdtempSync(join(tmpdir(), "crossmodal-library-"));
    const script = join(folder, "example.mjs");
    writeFileSync(script, code.replace('from "crossmodal"', `from ${JSON.stringify(source)}`));
    copyFileSync("fixtures/images/cat.jpg", join(folder, "cat.jpg"));
    const env = { PATH: process.env.PATH, CROSSMODAL_DATA_DIR: folder };
    try {
      const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), script], {
        cwd: folder,
        env,
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
      const exitCode = await new Promise((resolve) => child.on("close", resolve));
      expect(output).toBe(printed);
      expect(exitCode).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);

  it("names only what is exported", () => {
    const rows = [...page.matchAll(/^\| (.*?) \|/gm)].map(([, cell]) => cell).join(" ");
    const names = [...rows.matchAll(/`([A-Za-z]+)`/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(Object.keys(library)).toContain(name);
  });
});
