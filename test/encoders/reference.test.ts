import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addModel } from "../../src/models/add.js";
import { classify } from "../../src/zero-shot/classifier.js";
import { cosine, goldenBytes, goldenJson, goldenPath } from "../helpers/golden.js";
import { loadPack, type TestPack } from "../helpers/packs.js";

interface Golden {
  logit: { logit_scale_exp?: number; logit_scale_exp_a?: number };
  texts: { text: string; embed: number[] }[];
  images?: { file: string; embed: number[] }[];
  audio?: { file: string; windows: { embed: number[]; embed_is_longer_false?: number[] }[] }[];
  logits: { label_indices: number[]; probs: number[][] };
}

/**
 * Smallest cosine between our embedding and the reference's, from the file: measured 0.9999999 for pictures and texts,
 * 0.99999 for sounds. The issue asks for 0.9999.
 */
const closest = 0.9999;

for (const family of ["tiny-clip", "tiny-siglip", "tiny-siglip2", "tiny-clap", "tiny-clap-fused"]) {
  describe(`${family}, against the Python reference`, () => {
    const golden = goldenJson<Golden>(`${family}/golden.json`);
    // A user's literal special tokens are characters here (tokenizer.test.ts), so that text embeds differently on purpose.
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
        for (const [i, { embed, file }] of golden.images!.entries())
          expect(cosine(embeddings[i], embed), file).toBeGreaterThan(closest);
      });
    }

    if (golden.audio !== undefined) {
      it("embeds every sound of one window from the file", async () => {
        for (const { file, windows } of golden.audio!) {
          const sound = await pack.media.decodeAudio(goldenBytes(`media/audio/${file}`), { maxSeconds: 3600 });
          const fused = family.endsWith("fused");
          if (windows.length > 1 && !fused) continue; // ours is the mean of windows at other places: see below
          const [embedding] = await pack.encoders.audio!.encode([sound]);
          // The reference marks a lone short clip as longer at random; ours never does.
          const longer = file.startsWith("long") || file.includes("480480");
          const expected = fused && !longer ? windows[0].embed_is_longer_false! : windows[0].embed;
          expect(cosine(embedding, expected), file).toBeGreaterThan(closest);
        }
      });
    }

    it("scores labels as the reference does", async () => {
      const modality = golden.images === undefined ? "audio" : "image";
      const media = golden.images?.[0] ?? golden.audio![0];
      const labels = golden.logits.label_indices.map((i) => golden.texts[i].text);
      const bytes = goldenBytes(`media/${modality === "image" ? "images" : "audio"}/${media.file}`);
      const { logitScale, logitBias, activation } = pack.manifest;
      const shared = { textEncoder: pack.encoders.text!, logitScale, logitBias, activation };
      const options = { templates: ["{}"] };
      const scores =
        modality === "image"
          ? await classify(
              { ...shared, encoder: pack.encoders.image! },
              await pack.media.decodeImage(bytes, { maxPixels: 1e8 }),
              labels,
              options,
            )
          : await classify(
              { ...shared, encoder: pack.encoders.audio! },
              await pack.media.decodeAudio(bytes, { maxSeconds: 60 }),
              labels,
              options,
            );
      if (family === "tiny-clap-fused") return expect(scores.length).toBe(labels.length); // the golden's clip is marked longer
      for (const [i, label] of labels.entries()) {
        const score = scores.find((candidate) => candidate.label === label)!.score;
        expect(Math.abs(score - golden.logits.probs[0][i])).toBeLessThan(1e-3);
      }
    });
  });
}

describe("int8 variants", () => {
  it.each(["tiny-clip", "tiny-clap"])("%s: the quantized files load as another space", async (family) => {
    const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-reference-"));
    await addModel(goldenPath(family), dataDir, { id: family, source: "fixtures/golden" });
    const exact = await loadPack(dataDir, family);
    const quantized = await loadPack(dataDir, family, "int8");
    try {
      expect(quantized.space).not.toBe(exact.space);
      const [a] = await exact.encoders.text!.encode(["a photo of a cat"]);
      const [b] = await quantized.encoders.text!.encode(["a photo of a cat"]);
      expect(cosine(a, b)).toBeGreaterThan(0.9);
      expect(cosine(a, b)).toBeLessThan(1);
    } finally {
      await exact.close();
      await quantized.close();
    }
  });
});
