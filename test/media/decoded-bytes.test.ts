import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeAudio } from "../../src/media/audio/decode-audio.js";
import { decodedBytes } from "../../src/media/decoded-bytes.js";
import { pictureSize } from "../../src/media/picture-size.js";
import { soundSize } from "../../src/media/sound-size.js";
import { fixture, fixtureLabels } from "../helpers/fixtures.js";

const limits = { maxImagePixels: 100_000_000, maxAudioSeconds: 14_400 };

/** Formats as libvips writes them; what they hold is told by it, not by what is tested. */
const picture = sharp({ create: { width: 331, height: 77, channels: 4, background: "#12345678" } });
const writers = {
  jpeg: () => picture.clone().withMetadata({ orientation: 6 }).jpeg(),
  "progressive jpeg": () => picture.clone().jpeg({ progressive: true }),
  png: () => picture.clone().png(),
  gif: () => picture.clone().gif(),
  "lossy webp": () => picture.clone().removeAlpha().webp(),
  "webp with alpha": () => picture.clone().webp(),
  "lossless webp": () => picture.clone().removeAlpha().webp({ lossless: true }),
  avif: () => picture.clone().avif(),
  tiff: () => picture.clone().tiff(),
  bigtiff: () => picture.clone().tiff({ bigtiff: true }),
};

describe("pictureSize", () => {
  it.each(Object.entries(writers))("reads the header of %s", async (_, write) => {
    const bytes = new Uint8Array(await write().toBuffer());
    expect(pictureSize(bytes)).toEqual({ width: 331, height: 77 });
  });

  it("knows nothing of other files, and of headers that are cut short", async () => {
    expect(pictureSize(new TextEncoder().encode("GIF"))).toBe(undefined);
    expect(pictureSize(fixture("audio/dog.mp3"))).toBe(undefined);
    const png = new Uint8Array(await writers.png().toBuffer());
    expect(pictureSize(png.subarray(0, 20))).toBe(undefined);
  });
});

describe("soundSize", () => {
  const sounds = Object.keys(fixtureLabels.audio);

  it.each(sounds)("tells the length of %s as the decoder finds it", async (name) => {
    const bytes = fixture(`audio/${name}`);
    const { sampleRateHz, samples } = await decodeAudio(bytes, { maxSeconds: 1000 });
    const size = soundSize(bytes);
    expect(size?.sampleRateHz).toBe(sampleRateHz);
    // MP3 is told by its first frame's bit rate, and holds the encoder's padding.
    expect(size!.frames).toBeGreaterThanOrEqual(0.97 * samples.length);
    expect(size!.frames).toBeLessThan(1.1 * samples.length + 5000);
    // The same, about, from the beginning of the file and its length
    const head = bytes.subarray(0, Math.ceil(bytes.length / 2));
    const told = soundSize(head, bytes.length);
    expect(told?.sampleRateHz).toBe(sampleRateHz);
    expect(told!.frames).toBeGreaterThan(0.7 * samples.length);
    expect(told!.frames).toBeLessThan(1.5 * samples.length + 5000);
  });
});

describe("decodedBytes", () => {
  it("is 8 bytes a pixel, or the limit for a picture with no size or too large a one", async () => {
    const png = new Uint8Array(await writers.png().toBuffer());
    expect(decodedBytes(png, "image", limits)).toBe(8 * 331 * 77);
    new DataView(png.buffer).setUint32(16, 2 ** 31);
    expect(decodedBytes(png, "image", limits)).toBe(8e8);
    expect(decodedBytes(new Uint8Array(10), "image", limits)).toBe(8e8);
  });

  it("counts samples, not seconds: a second at 655,350 Hz is not a second at 8,000", () => {
    const flac = (rate: number, total: number) => {
      const bytes = new Uint8Array(100);
      bytes.set([0x66, 0x4c, 0x61, 0x43, 0x80, 0, 0, 34]);
      new DataView(bytes.buffer).setBigUint64(18, (BigInt(rate) << 44n) | BigInt(total));
      return bytes;
    };
    const second = 48_000 * 4 + 52_000;
    expect(decodedBytes(flac(655_350, 655_350), "audio", limits)).toBe(655_350 * 8 + second);
    expect(decodedBytes(flac(8_000, 16_000), "audio", limits)).toBe(16_000 * 8 + 2 * second);
    // A stream of unknown length: as much as its bytes can hold, or the limit.
    expect(decodedBytes(flac(8_000, 0), "audio", limits)).toBe(75 * (8_000 * 8 + second));
    expect(decodedBytes(flac(8_000, 2 ** 35), "audio", limits)).toBe(14_400 * (64_000 + second));
  });

  it("looks through the padding before a sound, but not through megabytes of it", () => {
    const padded = (padding: number) =>
      Buffer.concat([Buffer.alloc(padding), fixture("audio/sheep.flac")]);
    const seen = decodedBytes(padded(0), "audio", limits);
    expect(decodedBytes(padded(1000), "audio", limits)).toBe(seen);
    const bytes = padded(1 << 20).length;
    const second = 48_000 * 8 + 48_000 * 4 + 52_000; // six samples at 48 kHz a byte
    expect(decodedBytes(padded(1 << 20), "audio", limits)).toBe(
      Math.ceil(((6 * bytes) / 48_000) * second),
    );
  });

  it("is a finite number within the limits for any bytes", () => {
    const heads = [
      "",
      "\xff\xd8\xff",
      "\x89PNG",
      "GIF8",
      "RIFF????WEBPVP8X",
      "II*\0",
      "MM\0+",
      "fLaC",
    ];
    heads.push("RIFF????WAVEfmt ", "OggS\0\x02", "ID3", "\xff\xfb\x90\x00", "????ftypavif", "RF64");
    const bytes = fc
      .tuple(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 400 }))
      .map(([head, rest]) => Buffer.concat([Buffer.from(head, "latin1"), rest]));
    fc.assert(
      fc.property(bytes, fc.constantFrom("image" as const, "audio" as const), (file, modality) => {
        const size = decodedBytes(file, modality, limits);
        expect(Number.isFinite(size) && size >= 0).toBe(true);
        if (modality === "image") expect(size).toBeLessThanOrEqual(8e8);
      }),
    );
  });

  it("gives up on files that go on for ever without saying anything", () => {
    const of = (pattern: number[], head: string) => {
      const bytes = new Uint8Array(1 << 22).map((_, i) => pattern[i % pattern.length]);
      bytes.set(Buffer.from(head, "latin1"));
      return bytes;
    };
    expect(pictureSize(of([0xff, 0xe0, 0, 2], "\xff\xd8"))).toBe(undefined);
    expect(pictureSize(of([0xff], "\xff\xd8"))).toBe(undefined);
    expect(soundSize(of([0], "RIFF????WAVE"))).toBe(undefined);
    expect(soundSize(of([0xff, 0xe1], "\xff\xe1"))).toBe(undefined);
  });
});
