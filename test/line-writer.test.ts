import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { constants, fstatSync, mkdtempSync, openSync, readFileSync, readSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { type LinePlace, LineWriter, type Loss } from "../src/line-writer.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-lines-"));
const fullDisk = () => placeAt("/dev/full");
const placeAt = (path: string): LinePlace => ({
  name: "log",
  open: () => {
    const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
    const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK);
    return { descriptor, neverWaits: fstatSync(descriptor).isFIFO() };
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
  return { path, reader, readAll };
}

/** Waits for `go`, then 50 ms, and reads until nothing comes for as long again. */
const lateReader = `
const { parentPort, workerData } = require("node:worker_threads");
const { readSync } = require("node:fs");
const { go, reader } = workerData;
const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const buffer = Buffer.alloc(1 << 20);
let text = "";
parentPort.postMessage("ready");
Atomics.wait(go, 0, 0);
wait(50);
for (let misses = 0; misses < 10; ) {
  try {
    const count = readSync(reader, buffer);
    if (count === 0) break;
    text += buffer.toString("utf8", 0, count);
    misses = 0;
  } catch {
    misses++;
    wait(5);
  }
}
parentPort.postMessage(text);
`;

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

  it("opens its place anew where the descriptor is no good any more", async () => {
    const path = join(folder, "anew");
    let opened = 0;
    const writer = new LineWriter({
      ...placeAt(path),
      open: () => {
        if (opened++ > 0) return placeAt(path).open();
        return { descriptor: openSync("/dev/null", "r"), neverWaits: false }; // EBADF
      },
    });
    writer.write("first\n");
    expect(await writer.flush(10_000)).toBe(false);
    expect(writer.trouble).toMatchObject({ code: "EBADF" });
    await expect.poll(() => writer.waiting, { timeout: 5000 }).toBe(0);
    expect(readFileSync(path, "utf8")).toBe("first\n");
    writer.close();
  });

  it("waits a little for a slow reader at the end of the process", async () => {
    const pipe = slowPipe("end");
    const go = new Int32Array(new SharedArrayBuffer(4));
    const reader = new Worker(lateReader, { eval: true, workerData: { go, reader: pipe.reader } });
    await once(reader, "message");
    const writer = new LineWriter(placeAt(pipe.path));
    const lines = Array.from({ length: 100 }, (_, i) => `${i} ${"w".repeat(1000)}\n`);
    for (const line of lines) writer.write(line);
    writer.write("the last\n");
    const read = once(reader, "message");
    Atomics.store(go, 0, 1);
    Atomics.notify(go, 0);
    writer.writeNow();
    writer.close(); // as the process ends: the lines are not written again
    expect(await read).toEqual([`${lines.join("")}the last\n`]);
  });

  it("holds 4 MiB, and says and counts what it loses", async () => {
    const path = join(folder, "bounded");
    const writer = new LineWriter(fullDisk());
    const losses: (Loss | undefined)[] = [];
    writer.onRecovery = (loss) => losses.push(loss);
    const line = `${"x".repeat(1023)}\n`;
    const kept = Array.from({ length: 5000 }, () => writer.write(line)).filter((isKept) => isKept);
    expect([kept.length, writer.waiting]).toEqual([4096, 4096]);
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
