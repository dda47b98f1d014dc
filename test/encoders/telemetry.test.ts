import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { goldenPath } from "../helpers/golden.js";

it("reports nothing to ONNX Runtime's makers: no id, no reports, no file of theirs is left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-telemetry-"));
  try {
    const [home, temporary] = ["home", "tmp"].map((name) => join(folder, name));
    mkdirSync(home);
    mkdirSync(temporary);
    const model = goldenPath("tiny-clip/onnx/vision_model.onnx");
    const code =
      'import { openSession } from "./src/encoders/session.ts";' +
      `const session = await openSession({ model: ${JSON.stringify(model)}, device: "cpu" });` +
      "console.log(session.info.provider, process.env.ORT_DISABLE_TELEMETRY);" +
      "await session.close();";
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", code],
      { env: { PATH: process.env.PATH, HOME: home, TMPDIR: temporary } },
    );
    expect(stdout).toBe("cpu 1\n");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    // tsx keeps what it has compiled in a folder of its own
    const left = files.filter((file) => !/^(home|tmp)$|^tmp\/(tsx|node-compile-cache)/.test(file));
    expect(left).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
