import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { quantizesDynamically } from "../../src/encoders/dynamic-quantization.js";
import { goldenPath } from "../helpers/golden.js";

describe("quantizesDynamically", () => {
  it.each([
    ["", false],
    ["_fp16", false],
    ["_q4", false],
    ["_quantized", true],
  ])("tells the text tower%s of a public export: %s", async (ending, expected) => {
    expect(await quantizesDynamically(goldenPath(`tiny-clap/onnx/text_model${ending}.onnx`))).toBe(
      expected,
    );
  });

  it.each(["starter-clip/image", "starter-clap/audio", "starter-text/trunk"])(
    "finds none in %s",
    async (name) => {
      expect(await quantizesDynamically(`models/${name}.onnx`)).toBe(false);
    },
  );

  it("finds the operator's name where two reads of the file meet", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "crossmodal-scan-")), "graph.onnx");
    const mebibyte = 1 << 20;
    for (const at of [0, mebibyte - 14, mebibyte - 7, mebibyte - 1, mebibyte, 2 * mebibyte - 15]) {
      const bytes = Buffer.alloc(2 * mebibyte);
      bytes.write("DynamicQuantize", at);
      writeFileSync(path, bytes);
      expect(await quantizesDynamically(path), String(at)).toBe(true);
    }
    writeFileSync(path, Buffer.alloc(2 * mebibyte));
    expect(await quantizesDynamically(path)).toBe(false);
  });
});
