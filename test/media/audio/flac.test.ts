import { describe, expect, it, vi } from "vitest";
import { decodeAudio } from "../../../src/media/audio/decode-audio.js";
import { type FlacOptions, flacFile } from "../../helpers/flac.js";
import { largestDifference } from "../../helpers/golden.js";

const decode = (bytes: Uint8Array) => decodeAudio(bytes, { maxSeconds: 60 });
const wave = (bits: number) =>
  Array.from({ length: 3000 }, (_, i) => Math.round(2 ** (bits - 2) * Math.sin(i / 7)));

describe("decodeAudio, FLAC whose samples are known", () => {
  const plain: FlacOptions = { bits: 16, rate: 16_000, block: 1024 };
  it.each<[string, FlacOptions]>([
    ["of 8 bits", { ...plain, bits: 8 }],
    ["of 24 bits", { ...plain, bits: 24 }],
    ["of 32 bits", { ...plain, bits: 32 }],
    ["whose frames leave rate and bits to STREAMINFO", { ...plain, leavesOut: true }],
    ["whose STREAMINFO has another block size", { ...plain, claimed: { block: 4096 } }],
    ["with both", { ...plain, bits: 24, rate: 44_100, leavesOut: true, claimed: { block: 4608 } }],
    ["whose STREAMINFO has other bits than its frames", { ...plain, claimed: { bits: 24 } }],
  ])("reads a file %s", async (_, options) => {
    const samples = wave(options.bits);
    const decoded = await decode(flacFile(samples, options));
    expect(decoded.sampleRateHz).toBe(options.rate);
    expect(decoded.samples.length).toBe(samples.length);
    const right = Float32Array.from(samples, (sample) => sample / 2 ** (options.bits - 1));
    expect(largestDifference(decoded.samples, right)).toBeLessThan(1e-7);
    expect(decoded.warnings).toBeUndefined();
  });

  it("reads a file of any number of samples", async () => {
    const noise = Array.from({ length: 100 }, (_, i) => Math.round(8000 * Math.sin(i * i)));
    for (let length = 1; length <= noise.length; length++) {
      for (const leavesOut of [false, true]) {
        const samples = noise.slice(0, length);
        const decoded = await decode(flacFile(samples, { ...plain, leavesOut }));
        expect([...decoded.samples]).toEqual(samples.map((sample) => sample / 2 ** 15));
        expect(decoded.warnings).toBeUndefined();
      }
    }
  });

  it.each([1, 2])("reads a last frame whose checksum ends with zeros: %i", async (zeros) => {
    const end = Buffer.alloc(zeros);
    const fileOf = (last: number) => flacFile([...wave(16), last], { ...plain, block: 3000 });
    const found = Array.from({ length: 1 << 16 }, (_, i) => i - (1 << 15)).find((last) =>
      flacFile([last], { ...plain, number: 1 })
        .subarray(-zeros)
        .equals(end),
    )!;
    const file = fileOf(found);
    expect(file.subarray(-zeros)).toEqual(end);
    const decoded = await decode(file);
    expect([decoded.samples.length, decoded.samples.at(-1)]).toEqual([3001, found / 2 ** 15]);
    expect(decoded.warnings).toBeUndefined();
  });

  it("refuses a file whose frames all have right checksums but cannot be decoded", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined); // the decoder prints it
    const file = flacFile(wave(16), { ...plain, leavesOut: true, claimed: { bits: 24 } });
    await expect(decode(file)).rejects.toMatchObject({
      code: "undecodable_media",
      message: expect.stringContaining("it has no intact frame"),
    });
  });
});
