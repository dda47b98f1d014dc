import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { table } from "../../src/commands/table.js";

describe("print", () => {
  it("exits silently with 0 when the reader of stdout goes away, as head does", async () => {
    const texts = Array.from({ length: 2000 }, (_, i) => ["--text", `text ${i}`]);
    const args = ["--import", "tsx", "src/cli.ts", "embed", "--json", ...texts.flat()];
    const child = spawn(process.execPath, args, {
      env: {
        PATH: process.env.PATH,
        CROSSMODAL_DATA_DIR: mkdtempSync(join(tmpdir(), "crossmodal-output-")),
        CROSSMODAL_DEVICE: "cpu",
      },
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect([code, stderr]).toEqual([0, ""]);
  });
});

describe("table", () => {
  it("aligns columns, numbers to the right, and cuts lines to a terminal's width", () => {
    const rows = [
      ["photos", 3, "a"],
      ["b", 12, "a long text"],
    ];
    expect(table(["name", "items", "note"], rows, undefined)).toEqual([
      "name    items  note",
      "photos      3  a",
      "b          12  a long text",
    ]);
    expect(table(["name", "items", "note"], rows, 20)[2]).toBe("b          12  a lo…");
  });

  it("counts cells of a terminal: of Chinese and emoji two, of accents none", () => {
    const rows = [
      ["日本", "x"],
      ["e\u0301te\u0301", "👍🏽 y"],
    ];
    expect(table(["name", "note"], rows, undefined)).toEqual([
      "name  note",
      "日本  x",
      "e\u0301te\u0301   👍🏽 y",
    ]);
    expect(table(["id"], [["日本日本日本"]], 6)[1]).toBe("日本…");
  });

  it("shows control characters as such, so that no name steers the terminal", () => {
    expect(table(["id"], [["\u001b[31mred\u202e"]], undefined)[1]).toBe("\ufffd[31mred\ufffd");
  });
});
