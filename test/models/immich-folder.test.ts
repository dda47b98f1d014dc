import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { addModel } from "../../src/models/add.js";
import { inspectFolder } from "../../src/models/inspect-folder.js";
import { cosine, goldenBytes, goldenJson, goldenPath } from "../helpers/golden.js";
import { withFixedInput } from "../helpers/onnx-edit.js";
import { loadPack } from "../helpers/packs.js";

const about = { id: "immich", source: "immich", logitScale: 100 };

// open_clip's ViT-B-32.json and what its get_model_preprocess_cfg returns, with a shorter embedding
const config = {
  embed_dim: 32,
  quick_gelu: true,
  vision_cfg: { image_size: 224, layers: 12, width: 768, patch_size: 32 },
  text_cfg: { context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12 },
};
const preprocess = {
  size: [224, 224],
  mode: "RGB",
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  interpolation: "bicubic",
  resize_mode: "shortest",
  fill_color: 0,
};

/** The tiny CLIP as Immich would keep it in cache/clip/NAME; null removes a file. */
function immichFolder(files: Record<string, unknown> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-immich-"));
  for (const tower of ["textual", "visual"]) mkdirSync(join(folder, tower));
  const graph = (name: string) => goldenBytes(`tiny-clip/onnx/${name}_model.onnx`);
  const text = withFixedInput(graph("text"), "text", [1, 77]);
  const image = withFixedInput(graph("vision"), "image", [1, 3, 224, 224]);
  writeFileSync(join(folder, "textual/model.onnx"), text);
  writeFileSync(join(folder, "visual/model.onnx"), image);
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    copyFileSync(goldenPath(`tiny-clip/${name}`), join(folder, "textual", name));
  const written = { "config.json": config, "visual/preprocess_cfg.json": preprocess, ...files };
  for (const [name, value] of Object.entries(written)) {
    rmSync(join(folder, name), { force: true });
    if (value !== null) writeFileSync(join(folder, name), JSON.stringify(value));
  }
  return folder;
}

describe("a folder of Immich's", () => {
  it("is described as the hub's folder of the same model is", async () => {
    const { towers, ...manifest } = await inspectFolder(immichFolder(), about);
    const hub = await inspectFolder(goldenPath("tiny-clip"), about);
    expect(manifest).toMatchObject({ family: "clip", dimensions: 32, activation: "softmax" });
    expect(towers.image!.preprocess).toEqual(hub.towers.image!.preprocess);
    const { tokenizer, ...text } = towers.text!.preprocess;
    expect(tokenizer).toMatchObject({ path: "textual/tokenizer.json" });
    const { contextLength, padTokenId } = hub.towers.text!.preprocess;
    expect(text).toEqual({
      contextLength,
      padTokenId,
      padding: "max",
      canonicalize: "whitespace",
    });
  });

  it("gives the embeddings of the reference, though its graphs take one input at a time", async () => {
    const data = mkdtempSync(join(tmpdir(), "crossmodal-data-"));
    await addModel(immichFolder(), data, about);
    const pack = await loadPack(data, "immich");
    try {
      const golden = goldenJson<Golden>("tiny-clip/golden.json");
      const texts = golden.texts.filter(({ text }) => !text.includes("<|endoftext|>"));
      const embeddings = await pack.encoders.text!.encode(texts.map(({ text }) => text));
      for (const [i, { embed, text }] of texts.entries())
        expect(cosine(embeddings[i], embed), text.slice(0, 40)).toBeGreaterThan(0.9999);
      const images = golden.images.slice(0, 3);
      const pictures = await Promise.all(
        images.map(({ file }) =>
          pack.media.decodeImage(goldenBytes(`media/images/${file}`), { maxPixels: 1e8 }),
        ),
      );
      const seen = await pack.encoders.image!.encode(pictures);
      for (const [i, { embed, file }] of images.entries())
        expect(cosine(seen[i], embed), file).toBeGreaterThan(0.9999);
    } finally {
      await pack.close();
    }
  });

  // open_clip's ViT-B-16-SigLIP.json
  const siglip = {
    ...config,
    init_logit_bias: -10,
    text_cfg: { context_length: 77, tokenizer_kwargs: { clean: "canonicalize" } },
  };
  const squash = {
    size: 224,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
    interpolation: "bilinear",
    resize_mode: "squash",
  };

  it("is SigLIP's too: squashed pictures, texts without punctuation, sigmoids", async () => {
    const folder = immichFolder({ "config.json": siglip, "visual/preprocess_cfg.json": squash });
    const { activation, family, towers } = await inspectFolder(folder, about);
    expect({ activation, family }).toEqual({ activation: "sigmoid", family: "siglip" });
    expect(towers.text!.preprocess.canonicalize).toBe("siglip");
    expect(towers.image!.preprocess).toEqual({
      resize: { mode: "squash", size: 224, resample: "bilinear" },
      rescale: 1 / 255,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    });
  });

  it("may hold one of the two", async () => {
    const folder = immichFolder();
    rmSync(join(folder, "textual"), { recursive: true });
    expect(Object.keys((await inspectFolder(folder, about)).towers)).toEqual(["image"]);
  });

  const kwargs = (tokenizer_kwargs: object) => ({
    "config.json": { ...config, text_cfg: { ...config.text_cfg, tokenizer_kwargs } },
  });
  const visual = (keys: object) => ({ "visual/preprocess_cfg.json": { ...preprocess, ...keys } });
  const nllb = { tokenizer_class: "NllbTokenizer", pad_token: "<|endoftext|>" };

  it.each([
    [visual({ resize_mode: "longest" }), '"resize_mode": Only "shortest" or "squash" is supported'],
    [visual({ interpolation: "nearest" }), '"interpolation": Expected bilinear'],
    [visual({ interpolation: "random" }), '"interpolation": Expected bilinear'],
    [visual({ size: [224, 336] }), "only square pictures are supported, not 224 x 336"],
    [visual({ size: 256 }), '"size" is 256, but config.json has 224'],
    [visual({ mode: "L" }), '"mode": Only "RGB" is supported'],
    [visual({ mean: null }), '"mean": Expected three numbers'],
    [visual({ gamma: 2 }), '"gamma" is unknown and may change the numbers'],
    [kwargs({ clean: "lower" }), '"text_cfg.tokenizer_kwargs.clean": Only "canonicalize"'],
    [kwargs({ strip_sep_token: true }), '"text_cfg.tokenizer_kwargs.strip_sep_token"'],
    [kwargs({ reduction_mask: "simple" }), '"text_cfg.tokenizer_kwargs.reduction_mask" is unknown'],
    [{ "config.json": { ...config, embed_dim: 64 } }, "has 32 numbers, but config.json says 64"],
    [{ "config.json": { model_type: "clip" } }, '"embed_dim"'],
    [{ "config.json": null }, "config.json cannot be read"],
    [{ "visual/preprocess_cfg.json": null }, "preprocess_cfg.json cannot be read"],
    [{ "textual/tokenizer.json": null }, "tokenizer.json cannot be read"],
    [{ "textual/tokenizer_config.json": nllb }, "NllbTokenizer wants the language of each text"],
  ])("is refused by name where it asks for something else: %j", async (files, message) => {
    await expect(inspectFolder(immichFolder(files), about)).rejects.toMatchObject({
      code: "invalid_input",
      param: "folder",
      message: expect.stringContaining(message),
    });
  });
});

interface Golden {
  texts: { text: string; embed: number[] }[];
  images: { file: string; embed: number[] }[];
}
