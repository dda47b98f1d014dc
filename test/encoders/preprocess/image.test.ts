import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { ImagePreprocess } from "../../../src/encoders/manifest.js";
import { fastImagePixels, imageTensor } from "../../../src/encoders/preprocess/image.js";
import { normalized } from "../../../src/encoders/preprocess/normalize-pixels.js";
import { pillowResize } from "../../../src/encoders/preprocess/pillow-resize.js";
import { decodeImage } from "../../../src/media/image/decode-image.js";
import { fixture, fixtureLabels } from "../../helpers/fixtures.js";
import { goldenBytes, goldenJson, largestDifference } from "../../helpers/golden.js";

const clip: ImagePreprocess = {
  resize: { mode: "shortest_edge", size: 224, resample: "bicubic" },
  crop: 224,
  rescale: 1 / 255,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
const squash = (resample: "bilinear" | "bicubic"): ImagePreprocess => ({
  resize: { mode: "squash", size: 224, resample },
  rescale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
});
const families = {
  "tiny-clip": clip,
  "tiny-siglip": squash("bicubic"),
  "tiny-siglip2": squash("bilinear"),
};

interface Golden {
  images: { file: string; pixel_values_first32: number[]; channel_mean: number[] }[];
}

/** The picture after resize and crop, as the golden PNGs hold it. */
const cropOf = (tensor: Float32Array, { mean, std }: ImagePreprocess) => {
  const plane = tensor.length / 3;
  const rgb = new Uint8Array(tensor.length);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++)
      rgb[3 * i + c] = Math.round((tensor[c * plane + i] * std[c] + mean[c]) * 255);
  }
  return rgb;
};

/**
 * Most that a channel of a pixel of the crop may differ from Pillow's. Measured: 0 for every file,
 * JPEG and CMYK included: sharp and Pillow decode with the same libjpeg-turbo.
 */
const tolerance = 0;

for (const [family, spec] of Object.entries(families)) {
  describe(`imageTensor, ${family}`, () => {
    for (const golden of goldenJson<Golden>(`${family}/golden.json`).images) {
      // Pillow clips 16-bit grey; decode-image.test.ts and reference.test.ts have its values here.
      if (golden.file.startsWith("gray16")) continue;
      it(`gives Pillow's pixels for ${golden.file}`, async () => {
        const image = await decodeImage(goldenBytes(`media/images/${golden.file}`), {
          maxPixels: 1e8,
        });
        const tensor = imageTensor(image, spec);
        const crop = goldenBytes(`${family}/golden/crops/${golden.file.replace(/\.\w+$/, ".png")}`);
        const expected = await sharp(crop).toColourspace("srgb").removeAlpha().raw().toBuffer();
        expect(largestDifference(cropOf(tensor, spec), expected)).toBeLessThanOrEqual(tolerance);
        // float32 of the reference computes (x / 255 - mean) / std in another order: 2e-7 measured
        expect(largestDifference(tensor.subarray(0, 32), golden.pixel_values_first32)).toBeLessThan(
          1e-6,
        );
      });
    }
  });
}

describe("imageTensor", () => {
  it("pads a picture smaller than the crop with zeros, the odd row on top, column on the left", () => {
    const image = { width: 1, height: 1, rgb: Uint8Array.of(255, 255, 255) };
    const spec: ImagePreprocess = {
      ...squash("bicubic"),
      resize: { mode: "squash", size: 1, resample: "bicubic" },
      crop: 2,
    };
    expect([...imageTensor(image, spec).subarray(0, 4)]).toEqual([-1, -1, -1, 1]);
  });
});

describe("fastImagePixels", () => {
  it.each(Object.keys(fixtureLabels.images))("is close to Pillow's pixels for %s", async (file) => {
    const image = await decodeImage(fixture(`images/${file}`), { maxPixels: 1e8 });
    for (const spec of Object.values(families)) {
      const [exact, fast] = [
        imageTensor(image, spec),
        normalized(await fastImagePixels(image, spec), spec),
      ].map((t) => cropOf(t, spec));
      const sum = exact.reduce((total, value, i) => total + Math.abs(value - fast[i]), 0);
      // Measured over these pictures: mean .14, at most .3 a picture; single pixels up to 9 at hard
      // edges.
      expect(sum / exact.length).toBeLessThan(0.5);
      expect(largestDifference(exact, fast)).toBeLessThanOrEqual(12);
    }
  });

  it.each(["one_1x1.png", "wide_500x3.png", "tall_3x480.png", "noise_301x200.png"])(
    "is exact for %s, which would grow or need memory for what the crop throws away",
    async (file) => {
      const image = await decodeImage(goldenBytes(`media/images/${file}`), { maxPixels: 1e8 });
      for (const spec of Object.values(families))
        expect(normalized(await fastImagePixels(image, spec), spec)).toEqual(
          imageTensor(image, spec),
        );
    },
  );
});

describe("extreme pictures", () => {
  it("needs no more memory than the crop: 2 x 200,000 pixels would become 224 x 22,400,000", async () => {
    const [width, height] = [2, 200_000];
    const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 31) % 256);
    const before = process.memoryUsage().rss;
    for (const tensor of [
      imageTensor({ width, height, rgb }, clip),
      normalized(await fastImagePixels({ width, height, rgb }, clip), clip),
    ])
      expect(tensor.length).toBe(3 * 224 * 224);
    // The whole resized picture would be 15 GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });
});

describe("pillowResize", () => {
  it("averages what it shrinks (fault 1 of common implementations: no anti-aliasing)", () => {
    // A one-pixel checkerboard shrunk eight times is grey; sampled at points it would stay black
    // and white.
    const side = 64;
    const rgb = new Uint8Array(3 * side * side);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++)
        rgb.fill(((x + y) % 2) * 255, 3 * (y * side + x), 3 * (y * side + x) + 3);
    }
    const region = { left: 0, top: 0, width: 8, height: 8 };
    for (const value of pillowResize(
      { width: side, height: side, rgb },
      { width: 8, height: 8 },
      "bicubic",
      region,
    )) {
      expect(Math.abs(value - 127.5)).toBeLessThanOrEqual(1.5);
    }
  });

  it("gives the same pixels whether a region is computed alone or cut from the whole", () => {
    const rgb = Uint8Array.from({ length: 3 * 37 * 53 }, (_, i) => (i * 7919) % 256);
    const image = { width: 37, height: 53, rgb };
    const size = { width: 90, height: 20 };
    const whole = pillowResize(image, size, "bicubic", { left: 0, top: 0, ...size });
    const part = pillowResize(image, size, "bicubic", { left: 30, top: 5, width: 11, height: 9 });
    for (let y = 0; y < 9; y++) {
      const row = ((y + 5) * 90 + 30) * 3;
      expect([...part.subarray(y * 33, (y + 1) * 33)]).toEqual([...whole.subarray(row, row + 33)]);
    }
  });
});
