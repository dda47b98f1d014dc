import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSession, type Tensor } from "../../src/encoders/session.js";
import { addModel } from "../../src/models/add.js";
import { classify } from "../../src/zero-shot/classifier.js";
import {
  cosine,
  goldenBytes,
  goldenJson,
  goldenPath,
  largestDifference,
} from "../helpers/golden.js";
import { loadPack, type TestPack } from "../helpers/packs.js";

interface Golden {
  logit: { logit_scale_exp?: number; logit_scale_exp_a?: number };
  texts: { text: string; input_ids: number[]; attention_mask: number[]; embed: number[] }[];
  /** `embed_gray16_shift8`: of a 16-bit grey picture whose upper bytes alone are kept. */
  images?: { file: string; embed: number[]; embed_gray16_shift8?: number[] }[];
  audio?: { file: string; windows: { embed: number[]; embed_is_longer_false?: number[] }[] }[];
  logits: { label_indices: number[]; probs: number[][] };
}

/**
 * Smallest cosine between our embedding and the reference's, from the file: measured 0.9999999 for
 * pictures and texts, 0.99999 for sounds. The issue asks for 0.9999.
 */
const closest = 0.9999;

for (const family of ["tiny-clip", "tiny-siglip", "tiny-siglip2", "tiny-clap", "tiny-clap-fused"]) {
  describe(`${family}, against the Python reference`, () => {
    const golden = goldenJson<Golden>(`${family}/golden.json`);
    // A user's literal special tokens are characters here (tokenizer.test.ts), so that text embeds
    // differently on purpose.
    const texts = golden.texts.filter(({ text }) => !text.includes("<|endoftext|>"));
    let pack: TestPack;
    beforeAll(async () => {
      const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-reference-"));
      await addModel(goldenPath(family), dataDir, { id: family, source: "fixtures/golden" });
      pack = await loadPack(dataDir, family);
    });
    afterAll(() => pack.close());

    it("embeds every text, in a batch, as the reference does one by one", async () => {
      const embeddings = await pack.encoders.text!.encode(texts.map(({ text }) => text));
      for (const [i, { embed, text }] of texts.entries())
        expect(cosine(embeddings[i], embed), text.slice(0, 40)).toBeGreaterThan(closest);
    });

    if (golden.images !== undefined) {
      it("embeds every picture, in a batch, from the file", async () => {
        const images = await Promise.all(
          golden.images!.map(({ file }) =>
            pack.media.decodeImage(goldenBytes(`media/images/${file}`), { maxPixels: 1e8 }),
          ),
        );
        const embeddings = await pack.encoders.image!.encode(images);
        for (const [i, { embed_gray16_shift8, file, ...row }] of golden.images!.entries()) {
          const embed = embed_gray16_shift8 ?? row.embed;
          expect(cosine(embeddings[i], embed), file).toBeGreaterThan(closest);
        }
      });
    }

    if (golden.audio !== undefined) {
      it("embeds every sound of one window from the file", async () => {
        for (const { file, windows } of golden.audio!) {
          const sound = await pack.media.decodeAudio(goldenBytes(`media/audio/${file}`), {
            maxSeconds: 3600,
          });
          const fused = family.endsWith("fused");
          // Ours is the mean of windows at other places: see below
          if (windows.length > 1 && !fused) continue;
          const [embedding] = await pack.encoders.audio!.encode([sound]);
          // The reference marks a lone short clip as longer at random; ours never does.
          const expected =
            fused && !isLonger(file) ? windows[0].embed_is_longer_false! : windows[0].embed;
          expect(cosine(embedding, expected), file).toBeGreaterThan(closest);
        }
      });
    }

    it("gives the reference's numbers from the same tensors", async () => {
      const { text } = pack.manifest.towers;
      const run = async (
        graph: string,
        outputs: readonly string[],
        feeds: Record<string, Tensor>,
      ) => {
        const session = await openSession({
          model: goldenPath(`${family}/onnx/${graph}.onnx`),
          device: "cpu",
        });
        try {
          const own = session.info.inputs.map(({ name }) => [name, feeds[name]] as const);
          const results = await session.run(Object.fromEntries(own));
          return results[outputs.find((name) => name in results)!].data as Float32Array;
        } finally {
          await session.close();
        }
      };
      // Measured: 4e-6, texts, pictures; the issue asks for 1e-4.
      for (const { input_ids, attention_mask, embed } of golden.texts.slice(0, 4)) {
        const of = (ids: number[]) =>
          ({
            type: "int64",
            dims: [1, ids.length],
            data: BigInt64Array.from(ids, BigInt),
          }) as const;
        const feeds = { input_ids: of(input_ids), attention_mask: of(attention_mask) };
        expect(
          largestDifference(await run("text_model", text!.outputs, feeds), embed),
        ).toBeLessThan(1e-4);
      }
      const { image } = pack.manifest.towers;
      if (image === undefined) return;
      const { rescale, mean, std } = image.preprocess;
      for (const { file, embed } of golden.images!.slice(0, 4)) {
        const crop = sharp(
          goldenBytes(`${family}/golden/crops/${file.replace(/\.\w+$/, ".png")}`),
        ).toColourspace("srgb");
        const { data, info } = await crop.removeAlpha().raw().toBuffer({ resolveWithObject: true });
        const plane = info.width * info.height;
        const pixels = Float32Array.from({ length: 3 * plane }, (_, i) => {
          const c = Math.floor(i / plane);
          return (data[3 * (i % plane) + c] * rescale - mean[c]) / std[c];
        });
        const feeds = {
          pixel_values: { type: "float32", dims: [1, 3, info.height, info.width], data: pixels },
        } as const;
        expect(
          largestDifference(await run("vision_model", image.outputs, feeds), embed),
          file,
        ).toBeLessThan(1e-4);
      }
    });

    it("scores labels as the reference does", async () => {
      const { logitScale, logitBias, activation } = pack.manifest;
      const shared = { textEncoder: pack.encoders.text!, logitScale, logitBias, activation };
      const labels = golden.logits.label_indices.map((i) => golden.texts[i].text);
      const scoresOf = async (file: string) => {
        if (golden.images !== undefined) {
          const image = await pack.media.decodeImage(goldenBytes(`media/images/${file}`), {
            maxPixels: 1e8,
          });
          return classify({ ...shared, encoder: pack.encoders.image! }, image, labels, {
            templates: ["{}"],
          });
        }
        const sound = await pack.media.decodeAudio(goldenBytes(`media/audio/${file}`), {
          maxSeconds: 60,
        });
        return classify({ ...shared, encoder: pack.encoders.audio! }, sound, labels, {
          templates: ["{}"],
        });
      };
      for (const [row, medium] of (golden.images ?? golden.audio!).entries()) {
        if ("embed_gray16_shift8" in medium) continue; // the reference scored it clipped
        let expected = golden.logits.probs[row];
        if ("windows" in medium) {
          const fused = family.endsWith("fused");
          const [{ embed_is_longer_false: short }] = medium.windows;
          // Ours is the mean of windows at other places
          if (medium.windows.length > 1 && !fused) continue;
          // The golden scores take a lone short clip as longer; ours, and the reference among
          // longer clips, do not.
          if (fused && !isLonger(medium.file)) {
            const cosines = golden.logits.label_indices.map((i) =>
              cosine(short!, golden.texts[i].embed),
            );
            expected = softmax(cosines.map((similarity) => logitScale * similarity));
          }
        }
        const scores = await scoresOf(medium.file);
        for (const [i, label] of labels.entries()) {
          const { score } = scores.find((candidate) => candidate.label === label)!;
          expect(Math.abs(score - expected[i]), `${medium.file} ${label}`).toBeLessThan(1e-3);
        }
      }
    });
  });
}

/** Whether fused CLAP sees a golden sound as longer than its window. */
const isLonger = (file: string) => file.startsWith("long") || file.includes("480480");

const softmax = (logits: readonly number[]) => {
  const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
};

/**
 * Smallest cosine to the reference's embedding. Measured: fp16 .999997, int8 .9980, q4 .896; tiny
 * random weights lose more by four bits than trained ones of true size.
 */
const variants = { fp16: 0.9999, int8: 0.995, q4: 0.85 } as const;

describe.each(["tiny-clip", "tiny-clap", "tiny-siglip"])("data types of %s", (family) => {
  it("are spaces of their own, near the float32 one", async () => {
    const golden = goldenJson<Golden>(`${family}/golden.json`);
    const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-reference-"));
    await addModel(goldenPath(family), dataDir, { id: family, source: "fixtures/golden" });
    const spaces = new Set<string>();
    for (const dtype of ["fp32", "fp16", "int8", "q4"] as const) {
      const pack = await loadPack(dataDir, family, dtype);
      try {
        spaces.add(pack.space);
        expect(pack.towers.map((tower) => tower.dtype)).toEqual([dtype, dtype]);
        const texts = golden.texts.filter(({ text }) => !text.includes("<|endoftext|>"));
        const embeddings = await pack.encoders.text!.encode(texts.map(({ text }) => text));
        const least = dtype === "fp32" ? closest : variants[dtype];
        for (const [i, { embed, text }] of texts.entries())
          expect(cosine(embeddings[i], embed), `${dtype} ${text.slice(0, 40)}`).toBeGreaterThan(
            least,
          );
        if (golden.images !== undefined) {
          const { file, embed } = golden.images[4];
          const image = await pack.media.decodeImage(goldenBytes(`media/images/${file}`), {
            maxPixels: 1e8,
          });
          expect(
            cosine((await pack.encoders.image!.encode([image]))[0], embed),
            `${dtype} ${file}`,
          ).toBeGreaterThan(least);
        }
        if (golden.audio !== undefined) {
          const { file, windows } = golden.audio[0];
          const sound = await pack.media.decodeAudio(goldenBytes(`media/audio/${file}`), {
            maxSeconds: 60,
          });
          const [embedding] = await pack.encoders.audio!.encode([sound]);
          expect(cosine(embedding, windows[0].embed), `${dtype} ${file}`).toBeGreaterThan(least);
        }
      } finally {
        await pack.close();
      }
    }
    expect(spaces.size).toBe(4);
  });
});
