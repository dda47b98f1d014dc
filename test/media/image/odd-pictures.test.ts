import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { decodeImage } from "../../../src/media/image/decode-image.js";
import { fixture } from "../../helpers/fixtures.js";

const limits = { maxPixels: 1e8 };

interface Tag {
  tag: number;
  values: number[];
}

/** A little-endian TIFF of one strip whose tags say what a test wants. All values are SHORTs. */
function tiff(pixels: Uint8Array, tags: Tag[]): Uint8Array {
  const all = [...tags, { tag: 273, values: [0] }, { tag: 279, values: [pixels.length] }];
  all.sort((a, b) => a.tag - b.tag);
  const listsAt = 8 + 2 + 12 * all.length + 4;
  const lists: number[] = [];
  const pixelsAt = listsAt + 2 * all.reduce((n, { values }) => n + Math.max(2, values.length), 0);
  const bytes = Buffer.alloc(pixelsAt + pixels.length);
  bytes.write("II*\0", "latin1");
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(all.length, 8);
  for (const [i, { tag, values }] of all.entries()) {
    const at = 10 + 12 * i;
    const shown = tag === 273 ? [pixelsAt] : values;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(3, at + 2);
    bytes.writeUInt32LE(shown.length, at + 4);
    if (shown.length <= 2) {
      for (const [k, value] of shown.entries()) bytes.writeUInt16LE(value, at + 8 + 2 * k);
    } else {
      bytes.writeUInt32LE(listsAt + 2 * lists.length, at + 8);
      lists.push(...shown);
    }
  }
  for (const [k, value] of lists.entries()) bytes.writeUInt16LE(value, listsAt + 2 * k);
  bytes.set(pixels, pixelsAt);
  return bytes;
}

const size = (side: number): Tag[] => [
  { tag: 256, values: [side] },
  { tag: 257, values: [side] },
  { tag: 278, values: [side] },
];

interface Plain {
  photometric: number;
  compression?: number;
  extra?: number[];
  sampleFormat?: number;
  subsampling?: [number, number];
  bits?: number;
}

/** 4 x 4 pixels, all of the same samples. */
function plain(sample: number[], { photometric, bits = 8, ...other }: Plain): Uint8Array {
  const [across, down] = other.subsampling ?? [1, 1];
  // Subsampled chroma comes once for each block, behind the block's luma.
  const luma = Array(across * down).fill(sample[0]);
  const unit = other.subsampling ? [...luma, ...sample.slice(1)] : sample;
  const units = 16 / (across * down);
  const pixels = Uint8Array.from({ length: units * unit.length }, (_, i) => unit[i % unit.length]);
  const perPixel = (sample.length * 8) / bits;
  return tiff(pixels, [
    ...size(4),
    { tag: 258, values: Array(perPixel).fill(bits) },
    { tag: 259, values: [other.compression ?? 1] },
    { tag: 262, values: [photometric] },
    { tag: 277, values: [perPixel] },
    ...(other.extra ? [{ tag: 338, values: other.extra }] : []),
    ...(other.sampleFormat ? [{ tag: 339, values: Array(perPixel).fill(other.sampleFormat) }] : []),
    ...(other.subsampling ? [{ tag: 530, values: other.subsampling }] : []),
  ]);
}

const firstPixel = async (bytes: Uint8Array) => [
  ...(await decodeImage(bytes, limits)).rgb.subarray(0, 3),
];

const twelveBits: Tag[] = [
  ...size(4),
  { tag: 258, values: [12] },
  { tag: 259, values: [1] },
  { tag: 262, values: [1] },
  { tag: 277, values: [1] },
];

describe("decodeImage of TIFF", () => {
  it("ignores bands that are not declared as alpha, wherever the alpha channel is", async () => {
    const rgb = [200, 100, 50];
    expect(await firstPixel(plain([...rgb, 0], { photometric: 2, extra: [0] }))).toEqual(rgb);
    expect(await firstPixel(plain([...rgb, 0, 255], { photometric: 2, extra: [0, 2] }))).toEqual(
      rgb,
    );
    // Half of the colour on white, by Pillow's AlphaComposite: (200 * 128 + 255 * 127) / 255.
    const half = await firstPixel(plain([...rgb, 0, 128], { photometric: 2, extra: [0, 2] }));
    expect(half).toEqual([227, 177, 152]);
  });

  it("takes a single extra band without a word on its kind for alpha, as Pillow does", async () => {
    expect(await firstPixel(plain([200, 100, 50, 0], { photometric: 2 }))).toEqual([255, 255, 255]);
  });

  it.each([
    ["whole", [1, 1]],
    ["halved across", [2, 1]],
    ["halved both ways", [2, 2]],
  ] as const)("converts YCbCr with %s chroma by JPEG's formula", async (_, subsampling) => {
    // ITU-R BT.601, full range: R = 100 + 1.402 * 72, G = 100 - .344 * -28 - .714 * 72, B = 100 +
    // 1.772 * -28.
    const bytes = plain([100, 100, 200], { photometric: 6, subsampling: [...subsampling] });
    const [r, g, b] = await firstPixel(bytes);
    expect(Math.abs(r - 200.9)).toBeLessThanOrEqual(1);
    expect(Math.abs(g - 58.2)).toBeLessThanOrEqual(1);
    expect(Math.abs(b - 50.4)).toBeLessThanOrEqual(1);
  });

  it.each([
    ["floating-point samples", plain([0, 0, 0, 63], { photometric: 1, bits: 32, sampleFormat: 3 })],
    ["signed samples", plain([1, 2], { photometric: 1, bits: 16, sampleFormat: 2 })],
    ["samples of 32 bits", plain([1, 2, 3, 4], { photometric: 1, bits: 32 })],
    ["samples of 64 bits", plain(Array(8).fill(1), { photometric: 1, bits: 64, sampleFormat: 3 })],
    ["samples of 12 bits", tiff(new Uint8Array(24), twelveBits)],
    ["CIE Lab", plain([1, 2, 3], { photometric: 8 })],
    ["a colour filter array", plain([1], { photometric: 32803 })],
    ["five bands of no colour", plain([1, 2, 3, 4, 5], { photometric: 1, extra: [0, 0, 0, 0] })],
    ["JPEG 2000", plain([1, 2, 3], { photometric: 2, compression: 34712 })],
    ["Zstandard", plain([1, 2, 3], { photometric: 2, compression: 50000 })],
  ])("refuses %s as unsupported, not as corrupt", async (_, bytes) => {
    await expect(decodeImage(bytes, limits)).rejects.toMatchObject({
      code: "unsupported_media",
      param: "image",
    });
  });

  it("reads tags that lie outside the file as absent", async () => {
    const whole = plain([9, 9, 9, 9, 9], { photometric: 2, extra: [0, 0] });
    for (let length = 8; length < whole.length; length++) {
      const error = await decodeImage(whole.subarray(0, length), limits).catch((e) => e);
      expect(["undecodable_media", "unsupported_media"]).toContain(error.code);
    }
  });
});

const isInstalled = (command: string) => {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
};
const canEncode = isInstalled("heif-enc");
if (!canEncode) console.warn("HEIC is not tested: heif-enc (libheif-examples) is not installed");

describe.skipIf(!canEncode)("decodeImage of HEIC", () => {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-heic-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("reads what libheif's converter reads, within the loss of its compression", async () => {
    const png = await sharp(fixture("images/cat.jpg"))
      .resize(120, 80, { fit: "fill" })
      .png()
      .toBuffer();
    writeFileSync(join(folder, "in.png"), png);
    execFileSync("heif-enc", ["-q", "90", join(folder, "in.png"), "-o", join(folder, "in.heic")]);
    const heic = readFileSync(join(folder, "in.heic"));
    const [got, right] = [await decodeImage(heic, limits), await decodeImage(png, limits)];
    expect([got.width, got.height]).toEqual([120, 80]);
    const difference = got.rgb.reduce((sum, value, i) => sum + Math.abs(value - right.rgb[i]), 0);
    expect(difference / got.rgb.length).toBeLessThan(4); // 1.6 measured at quality 90
    await expect(decodeImage(heic, { maxPixels: 9000 })).rejects.toMatchObject({
      code: "too_large",
    });
    await expect(decodeImage(heic.subarray(0, 600), limits)).rejects.toMatchObject({
      code: "unsupported_media",
    });
  });
});
