import { PassThrough } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { transferProgress } from "../../src/commands/transfer-progress.js";

/** A stream that remembers what was written, as a terminal or not. */
function output(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), {
    isTTY,
    columns: 120,
    cursorTo: () => true,
    clearLine: () => true,
  });
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { stream, text: () => text };
}

describe("transferProgress", () => {
  it("writes plain lines without a terminal, with speed and time left every ten seconds", () => {
    const { stream, text } = output(false);
    let now = 0;
    const progress = transferProgress(stream, () => now);
    progress.begin(2, 100e6);
    progress.file("onnx/a.onnx", 80e6);
    progress.bytes(20e6); // lay there before: no part of the speed
    for (now = 1000; now <= 12_000; now += 1000) progress.bytes(20e6 + now * 4000);
    progress.done("the hub");
    progress.file("tokenizer.json", 20e6);
    progress.done("the hub's cache");
    progress.stop();
    expect(text().split("\n").slice(0, -1)).toEqual([
      "2 files, 100.0 MB",
      "60.0 of 100.0 MB · 4.0 MB/s · 0:10 left · a.onnx",
      "  onnx/a.onnx  68.0 MB",
      "  tokenizer.json  20.0 MB  from the hub's cache",
    ]);
  });

  it("shows a bar with speed, time left and file on a terminal, and notices above it", async () => {
    const { stream, text } = output(true);
    let now = 0;
    const progress = transferProgress(stream, () => now);
    progress.begin(1, 3600e6 * 2);
    progress.file("onnx/a.onnx", 3600e6 * 2);
    progress.bytes(0);
    now = 1000;
    progress.bytes(1e6);
    progress.notice("trying again");
    const state = "0% · 1.0 of 7200.0 MB · 1.0 MB/s · 1:59:59 left · a.onnx";
    // The bar draws five times a second
    await vi.waitFor(() => expect(text()).toContain(state), 10_000);
    progress.stop();
    expect(text()).toContain("trying again\n");
  });
});
