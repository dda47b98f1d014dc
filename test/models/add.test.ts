import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { addModel, filesOf, removeModel } from "../../src/models/add.js";
import { installedIds } from "../../src/models/store.js";
import { goldenPath } from "../helpers/golden.js";
import { loadPack } from "../helpers/packs.js";

const about = { id: "mine", source: "owner/name", logitScale: 100 };
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "crossmodal-add-"));
});

describe("addModel", () => {
  it("copies what the links of a hub cache point to, so that the pack outlives the cache", async () => {
    const cache = mkdtempSync(join(tmpdir(), "crossmodal-cache-"));
    const [blobs, snapshot] = [join(cache, "blobs"), join(cache, "snapshot")];
    cpSync(goldenPath("tiny-clip"), blobs, { recursive: true });
    const configs = ["config.json", "preprocessor_config.json", "tokenizer_config.json", "tokenizer.json"];
    for (const path of [...configs, "onnx/text_model.onnx", "onnx/vision_model.onnx"]) {
      mkdirSync(dirname(join(snapshot, path)), { recursive: true });
      symlinkSync(join(blobs, path), join(snapshot, path));
    }
    const manifest = await addModel(snapshot, dataDir, about);
    for (const { path } of filesOf(manifest))
      expect(lstatSync(join(dataDir, "models/mine", path)).isFile(), path).toBe(true);
    rmSync(cache, { recursive: true });
    const pack = await loadPack(dataDir, "mine");
    expect(await pack.encoders.text!.encode(["a cat"])).toHaveLength(1);
    await pack.close();
  });

  it("leaves no model in the list while it is not whole", async () => {
    await addModel(goldenPath("tiny-clip"), dataDir, about);
    cpSync(join(dataDir, "models/mine"), join(dataDir, "models/.other.4242"), { recursive: true });
    expect(installedIds(dataDir)).toEqual(["mine", "starter-clap", "starter-clip"]);
  });
});

describe("removeModel", () => {
  it.each(["..", ".", "../..", ".pull", "mine/onnx", ""])(
    "refuses %j, which is no id, and removes nothing",
    async (id) => {
      await addModel(goldenPath("tiny-clip"), dataDir, about);
      mkdirSync(join(dataDir, "models/.pull/begun"), { recursive: true });
      await expect(removeModel(dataDir, id)).rejects.toMatchObject({ code: "model_not_found" });
      expect(existsSync(join(dataDir, "models/mine/manifest.json"))).toBe(true);
      expect(existsSync(join(dataDir, "models/.pull/begun"))).toBe(true);
    },
  );
});
