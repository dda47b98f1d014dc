import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { expect, it } from "vitest";
import { addModel } from "../../src/models/add.js";
import { configWith, folderWith } from "../helpers/model-folders.js";
import { serve } from "../helpers/serve.js";

const { ModelProto } = onnxProto.onnx;

it("ends serve with 1 and the reason when a model fails its first inference", async () => {
  const folder = folderWith("tiny-clip", {
    "config.json": configWith("tiny-clip", "config.json", { vision_config: {} }),
    "preprocessor_config.json": configWith("tiny-clip", "preprocessor_config.json", {
      crop_size: 256,
    }),
  });
  // A graph that says it takes pictures of any size, but has positions for 224 pixels alone.
  const path = join(folder, "onnx/vision_model.onnx");
  const model = ModelProto.decode(readFileSync(path));
  const { dim } = model.graph!.input![0].type!.tensorType!.shape!;
  for (const axis of [2, 3]) dim![axis] = { dimParam: "any" };
  writeFileSync(path, ModelProto.encode(model).finish());
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-warm-up-"));
  await addModel(folder, dataDir, { id: "mine", source: "owner/name" });

  const served = await serve(["--models", "mine"], dataDir);
  expect(await served.ended).toBe(1);
  expect(served.output()).toContain('crossmodal: The model "mine" failed its first image: ');
});
