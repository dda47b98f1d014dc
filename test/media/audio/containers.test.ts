import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeAudio } from "../../../src/media/audio/decode-audio.js";
import { fixture } from "../../helpers/fixtures.js";
import { largestDifference } from "../../helpers/golden.js";
import {
  aiffFile,
  apeTag,
  auFile,
  bytesOf,
  cafFile,
  id3,
  id3v1,
  int16Bytes,
  lyrics3,
  toneSamples,
  w64File,
  wavFile,
} from "../../helpers/sound-files.js";

const limits = { maxSeconds: 3600 };
const tone = toneSamples(1000);
const [little, big] = [int16Bytes(tone, true), int16Bytes(tone, false)];
const right = Float32Array.from(tone, (sample) => sample / 32768);

describe("decodeAudio, containers of plain samples", () => {
  it.each([
    ["RIFF", wavFile(little)],
    ["RIFX", wavFile(big, { id: "RIFX" })],
    ["RF64", wavFile(little, { id: "RF64" })],
    ["BW64", wavFile(little, { id: "BW64" })],
    ["Wave64", w64File(little)],
    ["AIFF", aiffFile(big, { frames: 1000 })],
    ["AIFF-C, sowt", aiffFile(little, { frames: 1000, type: "sowt" })],
    ["AU", auFile(big)],
    ["AU of unknown length", auFile(big, { claimed: 0xffffffff })],
    ["CAF", cafFile(big)],
    ["CAF, little-endian", cafFile(little, { flags: 2 })],
    ["CAF of unknown length", cafFile(big, { claimed: -1 })],
  ])("reads %s, without a warning", async (_, file) => {
    const { sampleRateHz, samples, warnings } = await decodeAudio(file, limits);
    expect(sampleRateHz).toBe(16_000);
    expect(samples.length).toBe(1000);
    expect(largestDifference(samples, right)).toBe(0);
    expect(warnings).toBeUndefined();
  });

  it.each(["fl32", "FL32"])("reads AIFF-C of type %s", async (type) => {
    const data = Buffer.alloc(4000);
    for (const [i, sample] of right.entries()) data.writeFloatBE(sample, 4 * i);
    const { samples } = await decodeAudio(aiffFile(data, { frames: 1000, type, bits: 32 }), limits);
    expect(largestDifference(samples, right)).toBe(0);
  });

  // Values of ITU-T G.711's tables, in 16 bits: the smallest, the largest, and one in the middle.
  it.each([
    ["A-law", 6, [0xd5, 0x55, 0xaa, 0x2a, 0x80], [8, -8, 32256, -32256, 5504]],
    ["mu-law", 7, [0xff, 0x7f, 0x80, 0x00, 0xbf], [0, 0, 32124, -32124, 1980]],
  ])("reads %s in WAV, AIFF-C, AU and CAF", async (_, tag, bytes, expected) => {
    const data = Uint8Array.from(bytes);
    const type = tag === 6 ? "alaw" : "ulaw";
    for (const file of [
      wavFile(data, { tag, bits: 8 }),
      aiffFile(data, { frames: 5, type, bits: 16 }),
      auFile(data, { encoding: tag === 6 ? 27 : 1 }),
      cafFile(data, { type, bits: 8 }),
    ]) {
      const { samples } = await decodeAudio(file, limits);
      expect(Array.from(samples, (sample) => sample * 32768)).toEqual(expected);
    }
  });
});

describe("decodeAudio, codecs in WAV and CAF that are not read", () => {
  const guid = (hex: string) =>
    Buffer.concat([Buffer.from("1600100003000000", "hex"), Buffer.from(hex, "hex")]);
  it.each([
    ["an unknown sub-format", { tag: 0xfffe, extra: guid("01000000123456781234567812345678") }],
    ["NMS ADPCM, which ffmpeg takes for G.726", { tag: 0x38, bits: 4, blockAlign: 42 }],
    ["G.726, whose order of bits nobody says", { tag: 0x45, bits: 4, blockAlign: 1 }],
    ["IMA ADPCM of 3 bits", { tag: 0x11, bits: 3, blockAlign: 256 }],
  ])("refuses %s instead of making noise of it", async (_, options) => {
    await expect(decodeAudio(wavFile(little, options), limits)).rejects.toMatchObject({
      code: "unsupported_media",
    });
  });

  it("refuses 24 bits in 32 in CAF, which does not say where they lie", async () => {
    const file = cafFile(big, { bits: 24, bytesPerPacket: 4 });
    await expect(decodeAudio(file, limits)).rejects.toMatchObject({ code: "unsupported_media" });
  });

  it("reads the ambisonic sub-format, and a GUID that was left empty", async () => {
    for (const end of ["00002107d3118644c8c1ca000000", "0".repeat(28)]) {
      const extra = guid(`0100${end}`);
      const { samples } = await decodeAudio(wavFile(little, { tag: 0xfffe, extra }), limits);
      expect(largestDifference(samples, right)).toBe(0);
    }
  });

  const folder = mkdtempSync(join(tmpdir(), "crossmodal-wav-"));
  const ffmpeg = (...args: string[]) => spawnSync("ffmpeg", ["-v", "error", ...args]).status === 0;
  const source = ["-f", "lavfi", "-i", "sine=1000:duration=1:sample_rate=48000", "-ac", "2"];
  const path = (name: string) => join(folder, name);
  const hasFfmpeg =
    ffmpeg(...source, "-c:a", "dca", "-strict", "-2", path("x.dts")) &&
    ffmpeg(...source, "-c:a", "ac3", path("x.spdif"));

  it.skipIf(!hasFfmpeg).each([
    ["DTS", "x.dts"],
    ["S/PDIF", "x.spdif"],
  ])("decodes %s whose header calls it PCM: as samples it is noise", async (_, name) => {
    const coded = readFileSync(path(name));
    const data = name === "x.dts" ? coded.subarray(0, coded.length & ~1).swap16() : coded;
    const { samples } = await decodeAudio(wavFile(data, { channels: 2, rate: 48_000 }), limits);
    let crossings = 0;
    for (let i = 10_000; i < 34_000; i++) if (samples[i] < 0 !== samples[i + 1] < 0) crossings++;
    expect(Math.abs(crossings - 1000)).toBeLessThanOrEqual(1); // half a second of 1000 Hz
  });
});

describe("decodeAudio, headers that lie", () => {
  it.each([2, 8, 0])("believes the bits, not a block alignment of %i", async (blockAlign) => {
    const stereo = toneSamples(1000, 2);
    const file = wavFile(int16Bytes(stereo, true), { channels: 2, blockAlign });
    const { samples, warnings } = await decodeAudio(file, limits);
    const mean = Float32Array.from(
      { length: 1000 },
      (_, i) => (stereo[2 * i] + stereo[2 * i + 1]) / 65536,
    );
    expect(largestDifference(samples, mean)).toBe(0);
    expect(warnings).toEqual([expect.stringContaining(`block alignment is ${blockAlign}`)]);
  });

  it("reads 24 bits in 32 without WAVE_FORMAT_EXTENSIBLE if all other fields agree", async () => {
    const data = Buffer.alloc(4000);
    for (const [i, sample] of tone.entries()) data.writeInt32LE(sample * 65536, 4 * i);
    const { samples } = await decodeAudio(wavFile(data, { bits: 24, blockAlign: 4 }), limits);
    expect(largestDifference(samples, right)).toBe(0);
  });

  it.each([
    [0, "never completed"],
    [1_000_000, "cut short: its header says 31.25 s, it holds 0.06 s"],
  ])("reads to the end of a file whose data claims %i bytes, and says so", async (claimed, why) => {
    const { samples, warnings } = await decodeAudio(wavFile(little, { claimed }), limits);
    expect(largestDifference(samples, right)).toBe(0);
    expect(warnings).toEqual([expect.stringContaining(why)]);
  });

  it("takes a size of 4 GB for what pipes write", async () => {
    const file = wavFile(little, { claimed: 0xffffffff });
    const { samples, warnings } = await decodeAudio(file, limits);
    expect(samples.length).toBe(1000);
    expect(warnings).toBeUndefined();
  });

  it.each([
    ["a byte of padding", "\0"],
    ["none, as some writers do", ""],
  ])("finds the data behind a chunk of odd length with %s", async (_, padding) => {
    const before = bytesOf(["LIST", { u32: 5 }, "abcde", padding], true);
    const { samples } = await decodeAudio(wavFile(little, { before }), limits);
    expect(largestDifference(samples, right)).toBe(0);
  });

  it("warns of a further data chunk, which is left out", async () => {
    const behind = bytesOf(["data", { u32: 4 }, "abcd"], true);
    const { samples, warnings } = await decodeAudio(wavFile(little, { behind }), limits);
    expect(samples.length).toBe(1000);
    expect(warnings).toEqual(["1 further data chunks of the file were skipped"]);
  });

  it("warns of a second format chunk that says something else", async () => {
    const header = wavFile(little, {});
    const behind = Buffer.from(header.subarray(12, 12 + 8 + header.readUInt32LE(16)));
    const same = await decodeAudio(wavFile(little, { behind }), limits);
    expect(same.warnings).toBeUndefined();
    behind.writeUInt32LE(96_000, 8 + 4); // the sample rate
    const { samples, warnings } = await decodeAudio(wavFile(little, { behind }), limits);
    expect(samples.length).toBe(1000);
    expect(warnings).toEqual(["The file has two different format chunks; the first one was used"]);
  });

  it("warns of bytes after the samples that are not chunks", async () => {
    const behind = Buffer.alloc(500, 0xee);
    const { samples, warnings } = await decodeAudio(wavFile(little, { behind }), limits);
    expect(samples.length).toBe(1000);
    expect(warnings).toEqual(["500 bytes after the sound were skipped"]);
  });

  it("says when more bits are used than the header calls valid", async () => {
    const extra = (valid: number) =>
      bytesOf(
        [
          { u16: 22 },
          { u16: valid },
          { u32: 4 },
          { u16: 1 },
          Buffer.from("000000001000800000aa00389b71", "hex"),
        ],
        true,
      );
    const options = { tag: 0xfffe, bits: 16 };
    const honest = int16Bytes(
      Int16Array.from(tone, (sample) => sample & ~15),
      true,
    );
    expect(
      (await decodeAudio(wavFile(honest, { ...options, extra: extra(12) }), limits)).warnings,
    ).toBeUndefined();
    const { samples, warnings } = await decodeAudio(
      wavFile(little, { ...options, extra: extra(12) }),
      limits,
    );
    expect(largestDifference(samples, right)).toBe(0);
    expect(warnings).toEqual([expect.stringContaining("12 of 16 bits")]);
  });
});

describe("decodeAudio, tags and padding", () => {
  const tags: [string, Uint8Array, Uint8Array][] = [
    ["two ID3v2 tags and an ID3v1", Buffer.concat([id3(300), id3(5)]), id3v1()],
    ["an ID3v2 tag longer than what sniffing looks at", id3(200_000), new Uint8Array(0)],
    ["an APE tag on both sides", apeTag(), apeTag()],
    ["Lyrics3 and ID3v1 behind", new Uint8Array(0), Buffer.concat([lyrics3(), id3v1()])],
    ["zeros and line breaks", Buffer.from("\0\0\0\r\n\r\n"), Buffer.alloc(999)],
  ];
  for (const [name, before, behind] of tags) {
    it.each(["burp.wav", "sheep.flac", "pig.mp3", "cow.ogg", "thunder.opus"])(
      `reads %s between ${name}`,
      async (file) => {
        const plain = fixture(`audio/${file}`);
        const expected = await decodeAudio(plain, limits);
        const { samples, warnings } = await decodeAudio(
          Buffer.concat([before, plain, behind]),
          limits,
        );
        expect(samples.length).toBe(expected.samples.length);
        expect(largestDifference(samples, expected.samples)).toBe(0);
        expect(warnings).toBeUndefined();
      },
    );
  }
});
