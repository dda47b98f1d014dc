import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Encoder, Modality, ModalityInput } from "../../src/encoders/encoder.js";
import type { DataType } from "../../src/encoders/manifest.js";
import { openSession } from "../../src/encoders/session.js";
import { addModel } from "../../src/models/add.js";
import { goldenBytes, goldenJson, goldenPath, largestDifference } from "../helpers/golden.js";
import { loadPack, type TestPack } from "../helpers/packs.js";

/**
 * Most that a number of an embedding may differ between an input alone and among others. Measured,
 * largest of all towers: fp32 1.7e-7, q4 (MatMulNBits) 1.0e-7, fp16 2.1e-4 (one step of float16 in
 * an intermediate sum), int8 of the starter packs (static and MatMulNBits) 3.8e-8. Dynamically
 * quantized files run one input at a time: 0; in one batch they differed by .017.
 */
const tolerance: Record<DataType, number> = { fp32: 1e-6, fp16: 1e-3, int8: 1e-6, q4: 1e-6 };

const all: DataType[] = ["fp32", "fp16", "int8", "q4"];
const packs: [id: string, dtypes: DataType[]][] = [
  ["tiny-clip", all],
  ["tiny-siglip", all],
  ["tiny-siglip2", ["fp32", "int8"]],
  ["tiny-clap", all],
  ["tiny-clap-fused", ["fp32", "int8"]],
  ["starter-clip", ["int8"]],
  ["starter-clap", ["int8"]],
];

/** Inputs as unlike as possible: short and long, quiet and loud, flat and noisy. */
const texts = goldenJson<{ texts: { text: string }[] }>("tiny-clip/golden.json").texts.map(
  ({ text }) => text,
);
const pictures = [
  "noise_301x200.png",
  "one_1x1.png",
  "exif6_320x200.jpg",
  "bilevel_130x90.png",
  "wide_500x3.png",
];
const sounds = [
  "long_48k_mono_25s.flac",
  "silence_48k_mono_1s.wav",
  "chirp_16k_stereo_5s.flac",
  "sine_8k_mono_1s.wav",
];

describe.each(packs.flatMap(([id, dtypes]) => dtypes.map((dtype) => [id, dtype] as const)))(
  "%s as %s",
  (id, dtype) => {
    let pack: TestPack;
    beforeAll(async () => {
      const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-batch-"));
      if (id.startsWith("tiny"))
        await addModel(goldenPath(id), dataDir, { id, source: "fixtures/golden" });
      pack = await loadPack(dataDir, id, id.startsWith("tiny") ? dtype : "auto");
    });
    afterAll(() => pack.close());

    const sameAlone = async <M extends Modality>(
      encoder: Encoder<M>,
      inputs: readonly ModalityInput[M][],
    ) => {
      const together = await encoder.encode(inputs);
      for (const [i, input] of inputs.entries()) {
        const [alone] = await encoder.encode([input]);
        expect(largestDifference(alone, together[i]), `input ${i}`).toBeLessThan(tolerance[dtype]);
      }
    };

    it("gives a text the same embedding alone and among others", () =>
      sameAlone(pack.encoders.text!, texts));

    const heard = id.includes("clap");
    it(`gives a ${heard ? "sound" : "picture"} the same embedding alone and in a batch`, async () => {
      if (heard) {
        const files = sounds.map((file) => goldenBytes(`media/audio/${file}`));
        const decoded = await Promise.all(
          files.map((bytes) => pack.media.decodeAudio(bytes, { maxSeconds: 60 })),
        );
        return sameAlone(pack.encoders.audio!, decoded);
      }
      const files = pictures.map((file) => goldenBytes(`media/images/${file}`));
      const images = await Promise.all(
        files.map((bytes) => pack.media.decodeImage(bytes, { maxPixels: 1e8 })),
      );
      await sameAlone(pack.encoders.image!, images);
    });
  },
);

describe("a dynamically quantized tower", () => {
  it("mixes its batch when the graph is given one, which is why it is not", async () => {
    const session = await openSession({
      model: goldenPath("tiny-clip/onnx/vision_model_quantized.onnx"),
      device: "cpu",
    });
    try {
      const size = 3 * 224 * 224;
      const run = async (rows: number[]) => {
        const data = Float32Array.from(
          { length: rows.length * size },
          (_, i) => rows[Math.floor(i / size)] * Math.sin(i % size),
        );
        const feeds = {
          pixel_values: { type: "float32", dims: [rows.length, 3, 224, 224], data },
        } as const;
        return (await session.run(feeds)).image_embeds.data as Float32Array;
      };
      const alone = await run([1]);
      const beside = (await run([1, 8])).slice(0, alone.length);
      expect(largestDifference(alone, beside)).toBeGreaterThan(tolerance.int8);
    } finally {
      await session.close();
    }
  });
});
