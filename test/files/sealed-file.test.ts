import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSealed, writeSealed } from "../../src/files/sealed-file.js";

const path = join(mkdtempSync(join(tmpdir(), "crossmodal-sealed-")), "rows.npy");

describe("a sealed file", () => {
  it.each(["", "text", "é".repeat(1000)])("gives back what was written", async (text) => {
    await writeSealed(path, text);
    expect((await readSealed(path)).toString("utf8")).toBe(text);
  });

  it.each([
    ["is gone", () => rmSync(path)],
    ["is empty", () => truncateSync(path, 0)],
    ["lacks a byte", () => truncateSync(path, readFileSync(path).length - 1)],
    ["lacks its sum", () => truncateSync(path, readFileSync(path).length - 32)],
    ["has a bit flipped", () => flip(3)],
    ["has a bit of its sum flipped", () => flip(-1)],
  ])("is refused by its name when it %s", async (_, damage) => {
    await writeSealed(path, "the contents");
    damage();
    const error = { code: "storage_corrupt", message: expect.stringContaining(path) };
    await expect(readSealed(path)).rejects.toMatchObject(error);
  });
});

function flip(at: number): void {
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  writeFileSync(path, bytes);
}
