import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, openSync, readFileSync, readSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LinePlace, LineWriter, type Loss } from "../src/line-writer.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-lines-"));
const fullDisk = () => placeAt("/dev/full");
const placeAt = (path: string): LinePlace => ({
  name: "log",
  open: () => {
    const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK);
  },
  isGone: () => false,
});

/** A pipe whose reader is open, and does not read before it is asked to. */
function slowPipe(name: string) {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(1 << 20);
  let text = "";
  const readAll = () => {
    try {
      for (let n = 1; n > 0; text += buffer.toString("utf8", 0, n)) n = readSync(reader, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
    return text;
  };
  return { path, readAll };
}

describe("LineWriter", () => {
  it("writes lines in their order, and says when they are written", async () => {
    const path = join(folder, "order");
    const writer = new LineWriter(placeAt(path));
    const lines = Array.from({ length: 5000 }, (_, i) => `line ${i} é\n`);
    for (const line of lines) writer.write(line);
    expect(await writer.flush(10_000)).toBe(true);
    expect(readFileSync(path, "utf8")).toBe(lines.join(""));
    writer.close();
  });

  it("throws nothing on a full disk, keeps lines, and writes them where there is room", async () => {
    const path = join(folder, "room");
    const writer = new LineWriter(fullDisk());
    const troubles: Error[] = [];
    let recoveries = 0;
    writer.onTrouble = (error) => troubles.push(error);
    writer.onRecovery = () => recoveries++;
    writer.write("first\n");
    expect(await writer.flush(10_000)).toBe(false);
    writer.write("second\n");
    expect(await writer.flush(10_000)).toBe(false);
    expect(writer.trouble).toMatchObject({ code: "ENOSPC" });
    expect([troubles.length, recoveries, writer.waiting]).toEqual([1, 0, 2]);
    writer.reopen(placeAt(path));
    await expect.poll(() => writer.waiting, { timeout: 10_000 }).toBe(0);
    writer.write("third\n");
    expect(await writer.flush(10_000)).toBe(true);
    expect([writer.trouble, recoveries]).toEqual([undefined, 1]);
    expect(readFileSync(path, "utf8")).toBe("first\nsecond\nthird\n");
    writer.close();
  });

  it("holds 4 MiB and counts what it loses", async () => {
    const path = join(folder, "bounded");
    const writer = new LineWriter(fullDisk());
    const losses: (Loss | undefined)[] = [];
    writer.onRecovery = (loss) => losses.push(loss);
    const line = `${"x".repeat(1023)}\n`;
    for (let i = 0; i < 5000; i++) writer.write(line);
    expect(writer.waiting).toBe(4096);
    writer.reopen(placeAt(path));
    await expect.poll(() => losses, { timeout: 10_000 }).toHaveLength(1);
    expect(losses[0]).toMatchObject({ lost: 5000 - 4096 });
    expect(readFileSync(path, "utf8").length).toBe(4 * 2 ** 20);
    writer.close();
  });

  it("waits for a slow reader of a pipe, not the event loop, and loses nothing", async () => {
    const pipe = slowPipe("slow");
    const writer = new LineWriter(placeAt(pipe.path));
    const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${"y".repeat(100)}\n`);
    for (const line of lines) writer.write(line);
    expect(await writer.flush(200)).toBe(false);
    expect(writer.waiting).toBeGreaterThan(1000);
    await expect.poll(() => pipe.readAll().length, { timeout: 10_000 }).toBe(lines.join("").length);
    expect(pipe.readAll()).toBe(lines.join(""));
    await expect.poll(() => writer.trouble).toBeUndefined();
    writer.close();
  });

  it("begins a file with a whole line, also where the last one was cut short before", async () => {
    const pipe = slowPipe("cut");
    const path = join(folder, "whole");
    const writer = new LineWriter(placeAt(pipe.path));
    const lines = Array.from({ length: 100 }, (_, i) => `${i} ${"z".repeat(9000)}\n`);
    for (const line of lines) writer.write(line);
    expect(await writer.flush(200)).toBe(false);
    writer.reopen(placeAt(path));
    await expect.poll(() => writer.waiting, { timeout: 10_000 }).toBe(0);
    const first = pipe.readAll();
    const rest = readFileSync(path, "utf8");
    expect(rest).toMatch(/^\d+ z/);
    const whole = first.slice(0, first.lastIndexOf("\n") + 1);
    expect(whole + rest).toBe(lines.join(""));
    writer.close();
  });
});
