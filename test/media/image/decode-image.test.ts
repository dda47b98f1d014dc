import { readdirSync } from "node:fs";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/math/random.js";
import { decodeImage } from "../../../src/media/image/decode-image.js";
import { fixture, fixtureLabels } from "../../helpers/fixtures.js";
import { goldenBytes, goldenPath, largestDifference } from "../../helpers/golden.js";

const limits = { maxPixels: 1e8 };

const ours = new Set(["undecodable_media", "unsupported_media", "too_large"]);

/** Whatever the bytes: a whole picture or an error of ours. */
async function answersByDesign(bytes: Uint8Array): Promise<void> {
  try {
    const { width, height, rgb } = await decodeImage(bytes, limits);
    expect(rgb.length).toBe(3 * width * height);
  } catch (error) {
    expect(ours.has((error as { code: string }).code), String(error)).toBe(true);
  }
}

const pictures = readdirSync(goldenPath("decode/pictures")).sort();
const picture = (file: string) => goldenBytes(`decode/pictures/${file}`);

/**
 * Most that a channel may differ from Pillow's. Only AVIF does: both read the same planes, but
 * libheif rounds the colour conversion another way (1 measured), and repeats halved chroma where
 * Pillow's libavif blends it (8 measured here; fixtures/images/rocket.avif: mean .7, at most 47 at
 * edges of colour).
 */
const tolerances: Record<string, number> = {
  "avif_444.avif": 1,
  "avif_animated.avif": 1,
  "avif_420.avif": 8,
  // Pillow rounds its tables of the same formula another way.
  "tiff_ycbcr.tiff": 1,
};

describe("decodeImage against Pillow", () => {
  it.each(pictures)("gives Pillow's RGB for %s", async (file) => {
    const { width, height, rgb } = await decodeImage(picture(file), limits);
    const golden = sharp(goldenBytes(`decode/expected/${file}.png`))
      .toColourspace("srgb")
      .raw();
    const { data, info } = await golden.toBuffer({ resolveWithObject: true });
    expect([width, height]).toEqual([info.width, info.height]);
    expect(largestDifference(rgb, data)).toBeLessThanOrEqual(tolerances[file] ?? 0);
  });
});

describe("decodeImage", () => {
  it.each(Object.keys(fixtureLabels.images))("reads %s as RGB", async (file) => {
    const { width, height, rgb } = await decodeImage(fixture(`images/${file}`), limits);
    expect(Math.max(width, height)).toBeLessThanOrEqual(480);
    expect(rgb.length).toBe(3 * width * height);
  });

  it("lays transparency on white instead of showing what is hidden under it", async () => {
    const raw = { width: 2, height: 1, channels: 4 } as const;
    const png = await sharp(Uint8Array.of(200, 0, 0, 0, 200, 0, 0, 255), { raw })
      .png()
      .toBuffer();
    const { rgb } = await decodeImage(png, limits);
    expect([...rgb]).toEqual([255, 255, 255, 200, 0, 0]);
  });

  it("takes the first frame of an animation", async () => {
    const frame = (value: number) =>
      sharp({
        create: { width: 4, height: 4, channels: 3, background: { r: value, g: value, b: value } },
      })
        .png()
        .toBuffer();
    const gif = await sharp([await frame(255), await frame(0)], { join: { animated: true } })
      .gif()
      .toBuffer();
    const { height, rgb } = await decodeImage(gif, limits);
    expect(height).toBe(4);
    expect(rgb[0]).toBe(255);
  });

  it.each([
    ["SVG", '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ["PDF", "%PDF-1.7"],
    ["HTML", "<html>"],
    ["nothing", ""],
  ])("refuses %s without handing it to a decoder", async (_, text) => {
    await expect(decodeImage(new TextEncoder().encode(text), limits)).rejects.toMatchObject({
      code: "unsupported_media",
    });
  });

  it("refuses more pixels than allowed, told from the header", async () => {
    await expect(decodeImage(fixture("images/cat.jpg"), { maxPixels: 1000 })).rejects.toMatchObject(
      {
        code: "too_large",
      },
    );
  });

  it.each([
    ["PNG", hugePng()],
    [
      "JPEG",
      patched("jpeg_420.jpg", (bytes) =>
        bytes.fill(0x7f, sizeInJpeg(bytes), sizeInJpeg(bytes) + 4),
      ),
    ],
    ["WebP", patched("webp_lossless.webp", (bytes) => bytes.set([0x80, 0x3e, 0xa0, 0x0f], 21))],
    ["TIFF", patched("tiff_raw.tiff", hugeTiff)],
  ])(
    "refuses a small %s that claims hundreds of megapixels, before it takes memory for them",
    async (_, bytes) => {
      const before = process.memoryUsage().rss;
      await expect(decodeImage(bytes, limits)).rejects.toMatchObject({
        code: "too_large",
        param: "image",
      });
      expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    },
  );

  it.each(pictures)("refuses or reads %s cut anywhere", async (file) => {
    const whole = picture(file);
    for (let i = 0; i < 12; i++)
      await answersByDesign(whole.subarray(0, Math.floor((whole.length * i) / 12)));
  });

  it("tells a JPEG that stops in the middle from a whole one", async () => {
    const whole = fixture("images/cat.jpg");
    await expect(decodeImage(whole.subarray(0, whole.length >> 1), limits)).rejects.toMatchObject({
      code: "undecodable_media",
      message: "The JPEG file is corrupt or cut short",
    });
  });

  it("answers random bytes behind every magic number by design", async () => {
    const random = seededRandom(5);
    for (const file of pictures) {
      const noise = Uint8Array.from({ length: 400 }, () => random.integer(256));
      noise.set(picture(file).subarray(0, 30));
      await answersByDesign(noise);
    }
  });

  it("answers truncations and noise with a picture or an AppError, never with a crash", async () => {
    const random = seededRandom(2);
    for (const file of Object.keys(fixtureLabels.images)) {
      const whole = fixture(`images/${file}`);
      for (let i = 0; i < 4; i++)
        await answersByDesign(whole.subarray(0, random.integer(whole.length)));
      for (let i = 0; i < 4; i++) {
        const damaged = Uint8Array.from(whole);
        for (let j = 0; j < 30; j++) damaged[random.integer(damaged.length)] = random.integer(256);
        await answersByDesign(damaged);
      }
    }
  }, 60_000);
});

/** A copy of a golden picture whose header is changed. */
function patched(file: string, change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = Uint8Array.from(picture(file));
  change(bytes);
  return bytes;
}

/** Where height and width lie in a JPEG: behind the frame's marker, length and precision. */
const sizeInJpeg = (bytes: Uint8Array) =>
  bytes.findIndex((byte, i) => byte === 0xff && (bytes[i + 1] === 0xc0 || bytes[i + 1] === 0xc2)) +
  5;

/** Tags 256 and 257 of a little-endian TIFF, width and height, become 30,000. */
function hugeTiff(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer);
  const directory = view.getUint32(4, true);
  for (let i = 0; i < view.getUint16(directory, true); i++) {
    const entry = directory + 2 + 12 * i;
    const tag = view.getUint16(entry, true);
    if (tag === 256 || tag === 257) view.setUint32(entry + 8, 30_000, true);
  }
}

/** The checksum of a PNG chunk (node:zlib has it only since 20.15). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** 900 megapixels of black, one bit each: 110 kB that would unfold to 2.7 GB of RGB. */
function hugePng(): Uint8Array {
  const chunk = (kind: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 1, 0, 0, 0, 0]);
  const rows = deflateSync(new Uint8Array(30_000 * 3751));
  const magic = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([
    magic,
    chunk("IHDR", header),
    chunk("IDAT", rows),
    chunk("IEND", new Uint8Array(0)),
  ]);
}
