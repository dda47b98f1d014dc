import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { addModel } from "../../src/models/add.js";
import { clip } from "../../src/models/families/clip.js";
import { families } from "../../src/models/families/families.js";
import type { Family } from "../../src/models/families/family.js";
import { readFamily } from "../../src/models/hub-configs.js";
import { inspectFolder } from "../../src/models/inspect-folder.js";
import { findManifest } from "../../src/models/store.js";
import { goldenBytes, goldenPath, largestDifference } from "../helpers/golden.js";
import { withExternalData } from "../helpers/onnx-edit.js";
import { loadPack, type TestPack } from "../helpers/packs.js";

/** A copy of a tiny pack with other configuration files. */
function folderWith(tiny: string, configs: Record<string, unknown> = {}): string {
  const folder = join(mkdtempSync(join(tmpdir(), "crossmodal-inspect-")), "hub");
  cpSync(goldenPath(tiny), folder, { recursive: true });
  for (const [name, value] of Object.entries(configs))
    writeFileSync(join(folder, name), JSON.stringify(value));
  return folder;
}

const about = { id: "mine", source: "owner/name", logitScale: 100 };

describe("readFamily", () => {
  // The configuration files of the public checkpoints leave out what is the default of the
  // reference's classes.
  it.each([
    [
      "tiny-siglip2",
      {
        model_type: "siglip",
        text_config: { model_type: "siglip_text_model", vocab_size: 256000 },
      },
      768,
      64,
    ],
    [
      "tiny-siglip",
      { model_type: "siglip", text_config: { hidden_size: 1152, max_position_embeddings: 16 } },
      1152,
      16,
    ],
    [
      "tiny-clip",
      {
        model_type: "clip",
        projection_dim: 512,
        text_config: { bos_token_id: 0, eos_token_id: 2 },
      },
      512,
      77,
    ],
    ["tiny-clip", { model_type: "clip", text_config: { hidden_size: 768 } }, 512, 77],
    [
      "tiny-clap",
      { model_type: "clap", projection_dim: 512, text_config: { projection_hidden_size: 768 } },
      512,
      512,
    ],
  ])(
    "knows the defaults that config.json leaves out (%s, %j)",
    async (tiny, config, dimensions, contextLength) => {
      const folder = folderWith(tiny, { "config.json": config });
      const tokenizer = JSON.parse(readFileSync(join(folder, "tokenizer_config.json"), "utf8"));
      if (tiny !== "tiny-clip") tokenizer.model_max_length = 1e30;
      writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(tokenizer));
      const found = await readFamily(folder);
      expect(found.dimensions).toBe(dimensions);
      expect(found.preprocess.text?.contextLength).toBe(contextLength);
    },
  );
});

describe("shorter dimensions", () => {
  it.each([
    [{ matryoshka_dimensions: [32, 64, 512], truncate_dim: null }, [32, 64]],
    [{ matryoshka_dimensions: [64, 32] }, [32, 64]],
    [{ truncate_dim: 256 }, [256]],
    [{ matryoshka_dimensions: [64], truncate_dim: 256, is_matryoshka: true }, [64, 256]],
    [{ is_matryoshka: true }, { min: 1 }],
    [{ is_matryoshka: false }, undefined],
    [{ truncate_dim: 512 }, undefined],
    [{}, undefined],
  ])("are what config.json states: %j", async (keys, expected) => {
    const config = { model_type: "clip", projection_dim: 512, ...keys };
    const folder = folderWith("tiny-clip", { "config.json": config });
    expect((await readFamily(folder)).shorterDimensions).toEqual(expected);
  });

  it.each([
    [{ matryoshka_dimensions: "64" }, '"matryoshka_dimensions": Expected a list of lengths'],
    [{ matryoshka_dimensions: [0] }, '"matryoshka_dimensions.0": Expected 1 or more'],
    [{ truncate_dim: 1.5 }, '"truncate_dim": Expected a whole number'],
  ])("are refused where they are none: %j", async (keys, message) => {
    const config = { model_type: "clip", projection_dim: 512, ...keys };
    const folder = folderWith("tiny-clip", { "config.json": config });
    await expect(readFamily(folder)).rejects.toThrow(message);
  });
});

describe("inspectFolder", () => {
  it.each([
    ["SiglipTokenizer", "siglip"],
    ["Siglip2Tokenizer", "lower"],
    ["GemmaTokenizer", "none"],
  ])("canonicalizes text as %s does: %s", async (tokenizerClass, expected) => {
    const folder = folderWith("tiny-siglip2", {
      "tokenizer_config.json": { tokenizer_class: tokenizerClass },
    });
    expect((await inspectFolder(folder, about)).towers.text?.preprocess.canonicalize).toBe(
      expected,
    );
  });

  it.each([
    ["a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"],
    ["not an ONNX graph", "<!DOCTYPE html>"],
    ["not an ONNX graph", ""],
  ])("refuses %s in a graph's place, naming the file", async (what, content) => {
    const folder = folderWith("tiny-clip");
    writeFileSync(join(folder, "onnx/vision_model.onnx"), content);
    await expect(inspectFolder(folder, about)).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining(`onnx/vision_model.onnx is ${what}`),
    });
  });

  it.each([
    [
      "a link into a cache that was emptied",
      "vision_model.onnx",
      (path: string) => symlinkSync("/nowhere", path),
      "cannot be read (ENOENT)",
    ],
    ["a folder", "vision_model.onnx", (path: string) => mkdirSync(path), "is not a regular file"],
    [
      "a link for weights beside the graph",
      "vision_model.onnx_data",
      (path: string) => symlinkSync("/nowhere", path),
      "cannot be read (ENOENT)",
    ],
    [
      "a device in the place of weights",
      "vision_model.onnx_data",
      (path: string) => symlinkSync("/dev/zero", path),
      "is not a regular file",
    ],
    [
      "a FIFO",
      "vision_model.onnx",
      (path: string) => execFileSync("mkfifo", [path]),
      "is not a regular file",
    ],
  ])("names the file that cannot be read: %s", async (_, name, put, what) => {
    const folder = folderWith("tiny-clip");
    rmSync(join(folder, "onnx", name), { force: true });
    put(join(folder, "onnx", name));
    await expect(inspectFolder(folder, about)).rejects.toMatchObject({
      code: "invalid_input",
      param: "folder",
      message: `${join(folder, "onnx", name)} ${what}`,
    });
  });

  it.each([
    ["config.json", "null"],
    ["preprocessor_config.json", "[]"],
    ["tokenizer_config.json", '"text"'],
    ["tokenizer.json", "{"],
    ["logit.json", "null"],
    ["logit.json", "not JSON"],
  ])("refuses a %s of %j, naming it", async (name, content) => {
    const folder = folderWith("tiny-clip");
    writeFileSync(join(folder, name), content);
    await expect(inspectFolder(folder, { id: "mine", source: "owner/name" })).rejects.toMatchObject(
      {
        code: "invalid_input",
        message: expect.stringContaining(name),
      },
    );
  });

  it("takes a tokenizer that names null for padding as one that names none", async () => {
    const folder = folderWith("tiny-siglip2", { "tokenizer_config.json": { pad_token: null } });
    expect((await inspectFolder(folder, about)).towers.text?.preprocess.padTokenId).toBe(0);
  });

  it("refuses an invalid id, naming it", async () => {
    await expect(
      inspectFolder(folderWith("tiny-clip"), { ...about, id: "Not An Id" }),
    ).rejects.toMatchObject({
      code: "invalid_input",
      param: "id",
    });
  });
});

describe("a family", () => {
  const packs: TestPack[] = [];
  afterEach(() => Promise.all(packs.splice(0).map((pack) => pack.close())));

  it("is one object: a folder of a new one is added and served with what it says", async () => {
    const newcomer: Family = {
      ...clip,
      family: "newcomer",
      promptTemplates: { image: ["{} seen from afar."] },
    };
    families.newcomer = newcomer;
    try {
      const config = JSON.parse(readFileSync(goldenPath("tiny-clip/config.json"), "utf8"));
      const folder = folderWith("tiny-clip", {
        "config.json": { ...config, model_type: "newcomer" },
      });
      const root = mkdtempSync(join(tmpdir(), "crossmodal-family-"));
      const manifest = await addModel(folder, root, about);
      expect(manifest).toMatchObject({
        family: "newcomer",
        promptTemplates: { image: ["{} seen from afar."] },
      });
      const pack = await loadPack(root, "mine");
      packs.push(pack);
      expect(await pack.encoders.text!.encode(["a cat"])).toHaveLength(1);
    } finally {
      delete families.newcomer;
    }
  });
});

describe("a graph with its weights in another file", () => {
  const packs: TestPack[] = [];
  afterEach(() => Promise.all(packs.splice(0).map((pack) => pack.close())));

  it("is added, verified and run, in another space than the graph with other weights", async () => {
    const folder = folderWith("tiny-clip");
    const whole = join(folder, "onnx/vision_model.onnx");
    const { graph, data } = withExternalData(readFileSync(whole), "vision_model.onnx_data");
    writeFileSync(whole, graph);
    writeFileSync(`${whole}_data`, data);
    const root = mkdtempSync(join(tmpdir(), "crossmodal-external-"));
    const manifest = await addModel(folder, root, about);
    expect(manifest.towers.image?.files.fp32?.data).toMatchObject([
      { path: "onnx/vision_model.onnx_data", size: data.length },
    ]);

    await addModel(goldenPath("tiny-clip"), root, { ...about, id: "inside" });
    const [outside, inside] = [
      await loadPack(root, "mine", "fp32"),
      await loadPack(root, "inside", "fp32"),
    ];
    packs.push(outside, inside);
    const image = { width: 40, height: 30, rgb: new Uint8Array(3600).fill(90) };
    const [[a], [b]] = [
      await outside.encoders.image!.encode([image]),
      await inside.encoders.image!.encode([image]),
    ];
    expect(largestDifference(a, b)).toBe(0);
    expect(outside.space).not.toBe(inside.space);

    const path = join(root, "models/mine/onnx/vision_model.onnx_data");
    rmSync(path);
    writeFileSync(path, Buffer.from(data).fill(7, 0, 16));
    await expect(loadPack(root, "mine", "fp32")).rejects.toMatchObject({ code: "model_corrupt" });
    expect(findManifest(root, "mine")).toContain("models/mine/manifest.json");
    expect(goldenBytes("tiny-clip/onnx/vision_model.onnx").length).toBeGreaterThan(graph.length);
  });
});
