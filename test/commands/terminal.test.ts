import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import stringWidth from "string-width";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { type RunningServer, startServer } from "../../src/server.js";

// util-linux's; those of BSD and macOS take other options
const hasScript = (() => {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
})();

const folder = mkdtempSync(join(tmpdir(), "crossmodal-terminal-"));
let server: RunningServer;

beforeAll(async () => {
  const dataDir = join(folder, "data");
  const config = { ...loadConfig({ environment: {} }), dataDir, device: "cpu", port: 0 };
  server = await startServer(config, createLog("silent"));
  mkdirSync(join(folder, "photos", "日本"), { recursive: true });
  for (let i = 0; i < 60; i++)
    copyFileSync("fixtures/images/horse.png", join(folder, "photos", "日本", `${i}.png`));
});
afterAll(() => server.close());

/**
 * Runs the command line on a terminal of so many columns.
 * @param options.interruptAt  Ctrl-C is pressed when the terminal shows this.
 */
function onTerminal(
  columns: number,
  args: readonly string[],
  { interruptAt }: { interruptAt?: RegExp } = {},
): Promise<{ code: number; shown: string }> {
  const words = [process.execPath, "--import", "tsx", "src/cli.ts", ...args];
  const command = words.map((word) => `'${word}'`).join(" ");
  const child = spawn(
    "script",
    ["-qec", `stty cols ${columns} rows 24; exec ${command}`, "/dev/null"],
    {
      env: { PATH: process.env.PATH, TERM: "xterm", CROSSMODAL_URL: server.url },
    },
  );
  let shown = "";
  let pressed = false;
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
    if (pressed || interruptAt === undefined || !interruptAt.test(shown)) return;
    pressed = true;
    child.stdin.write("\u0003");
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code: code!, shown })));
}

/** Every state that a line of the terminal had: redrawn from its beginning, or ended. */
const linesOf = (shown: string) =>
  shown
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals are told
    .split(/\r|\n|\u001b\[1?G|\u001b\[\?\d+[hl]/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals are told
    .map((line) => line.replace(/\u001b\[[\d;]*[A-Za-z]/g, ""));

describe.skipIf(!hasScript)("the command line on a terminal", () => {
  it.each([40, 80])("keeps bar and tables within %i columns", async (columns) => {
    const add = ["add", `archive-${columns}`, join(folder, "photos"), "--recursive"];
    const added = await onTerminal(columns, [...add, "--create", "--model", "starter-clip"]);
    expect(added.code, added.shown).toBe(0);
    const lines = linesOf(added.shown);
    expect(lines.filter((line) => / \d+\/60 · \d/.test(line))).not.toEqual([]);
    if (columns === 80) expect(added.shown).toMatch(/█+░* \d+\/60 · .* left/);
    // Before the files are counted there is nothing to draw
    expect(added.shown).not.toMatch(/ 0 █/);
    expect(lines).toContain(`archive-${columns}: 60 stored`);
    const listed = await onTerminal(columns, ["items", "list", `archive-${columns}`]);
    for (const line of [...lines, ...linesOf(listed.shown)])
      expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
  });

  it("ends in order at Ctrl-C, and says what is stored", async () => {
    const add = ["add", "broken-off", join(folder, "photos"), "--recursive"];
    const options = { interruptAt: /[1-9]\d*\/60/ };
    const { code, shown } = await onTerminal(
      80,
      [...add, "--create", "--model", "starter-clip"],
      options,
    );
    expect(shown).toContain("stopping once running items are stored");
    const [, stored] = /broken-off: (\d+) stored\r?\n/.exec(shown) ?? [];
    const { count } = (await (await fetch(`${server.url}/v1/collections/broken-off`)).json()) as {
      count: number;
    };
    expect(Number(stored)).toBe(count);
    // All may be stored by the time the key is pressed
    if (Number(stored) < 60) expect(code, shown).toBe(1);
  });
});
