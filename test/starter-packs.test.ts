import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Embedding, ModalityInput } from "../src/encoders/encoder.js";
import { readSafetensors } from "../src/math/safetensors.js";
import { fixture } from "./helpers/fixtures.js";
import { loadPack, type TestPack } from "./helpers/packs.js";

let clip: TestPack;
let clap: TestPack;
beforeAll(async () => {
  [clip, clap] = await Promise.all([
    loadPack("data", "starter-clip"),
    loadPack("data", "starter-clap"),
  ]);
});
afterAll(() => Promise.all([clip.close(), clap.close()]));

const largestDifference = (a: Embedding, b: Embedding) =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i])));

/**
 * Quantisation that takes its scale from the whole batch moves single numbers by up to .03. What is
 * left here is the order of additions: measured 1e-7.
 */
const alike = 1e-5;

describe("the starter packs", () => {
  it("fit in 45 MB together", () => {
    const bytes = ["starter-text", "starter-clip", "starter-clap", "bridges"].flatMap((name) => {
      const folder = join("models", name);
      const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) =>
        statSync(join(folder, file)),
      );
      return files.filter((file) => file.isFile()).map(({ size }) => size);
    });
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(45e6);
  });

  it("are two spaces", () => {
    expect(clip.space).not.toBe(clap.space);
  });

  it("give a text the same embedding alone and among others, long ones included", async () => {
    const texts = [
      "dog",
      "the sound of heavy rain on a tin roof while thunder rolls far away",
      "",
      "a photo of a cat.",
    ];
    for (const { text } of [clip.encoders, clap.encoders]) {
      const among = await text!.encode(texts);
      for (const [i, own] of texts.entries()) {
        expect(largestDifference((await text!.encode([own]))[0], among[i])).toBeLessThan(alike);
      }
    }
  });

  it("give a picture the same embedding alone and among others", async () => {
    const files = ["cat.jpg", "page.png", "galaxies.jpg", "horse.png"];
    const pictures = await Promise.all(
      files.map((file) => clip.media.decodeImage(fixture(`images/${file}`), { maxPixels: 1e8 })),
    );
    const among = await clip.encoders.image!.encode(pictures);
    for (const [i, own] of pictures.entries()) {
      expect(
        largestDifference((await clip.encoders.image!.encode([own]))[0], among[i]),
      ).toBeLessThan(alike);
    }
  });

  it("give a sound the same embedding alone and in a batch, silence and noise too", async () => {
    const files = ["crow.wav", "rain.ogg", "piano.ogg", "scene.opus"];
    const sounds: ModalityInput["audio"][] = await Promise.all(
      files.map((file) => clap.media.decodeAudio(fixture(`audio/${file}`), { maxSeconds: 60 })),
    );
    const noise = Float32Array.from({ length: 32_000 }, (_, i) => Math.sin(i * i));
    sounds.push(
      { sampleRateHz: 32_000, samples: new Float32Array(32_000) },
      { sampleRateHz: 32_000, samples: noise },
    );
    const among = await clap.encoders.audio!.encode(sounds);
    for (const [i, own] of sounds.entries()) {
      expect(
        largestDifference((await clap.encoders.audio!.encode([own]))[0], among[i]),
      ).toBeLessThan(alike);
    }
  });
});

describe("the bridge between them", () => {
  const folder = "models/bridges/starter-clap-to-starter-clip";

  it("leads from these packs' sound space to their picture space (see docs/bridges.md)", () => {
    const { metadata } = readSafetensors(
      new Uint8Array(readFileSync(join(folder, "bridge.safetensors"))),
    );
    expect(metadata).toMatchObject({ from_space: clap.space, to_space: clip.space });
    const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as Record<
      string,
      unknown
    >;
    expect(report).toMatchObject({ from_space: clap.space, to_space: clip.space });
  });
});
