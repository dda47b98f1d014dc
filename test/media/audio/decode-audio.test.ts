import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/math/random.js";
import { oggCrc } from "../../../src/media/audio/crc.js";
import { decodeAudio } from "../../../src/media/audio/decode-audio.js";
import { fixture } from "../../helpers/fixtures.js";
import { largestDifference } from "../../helpers/golden.js";

const limits = { maxSeconds: 3600 };

const withoutFfmpeg = spawnSync("ffmpeg", ["-version"]).status !== 0;
if (withoutFfmpeg)
  console.warn("decode-audio.test.ts: no ffmpeg on PATH, the tests that need it are skipped");

function encodeWithFfmpeg(name: string, input: readonly string[]): string {
  const path = join(mkdtempSync(join(tmpdir(), "crossmodal-m4a-")), name);
  const { status, stderr } = spawnSync("ffmpeg", ["-v", "error", ...input, "-c:a", "aac", path]);
  if (status !== 0) throw new Error(`ffmpeg made no ${name}: ${stderr}`);
  return path;
}

/**
 * A WAV of two channels: a ramp and its half, so that the mean of the channels is 3/4 of the ramp.
 */
function wav(
  encoding: { tag: number; bits: number; extensible?: boolean },
  ramp: readonly number[],
): Uint8Array {
  const bytes = encoding.bits / 8;
  const dataSize = ramp.length * 2 * bytes;
  const formatSize = encoding.extensible ? 40 : 16;
  const out = Buffer.alloc(20 + formatSize + 8 + dataSize);
  out.write("RIFF", 0);
  out.writeUInt32LE(out.length - 8, 4);
  out.write("WAVEfmt ", 8);
  out.writeUInt32LE(formatSize, 16);
  out.writeUInt16LE(encoding.extensible ? 0xfffe : encoding.tag, 20);
  out.writeUInt16LE(2, 22);
  out.writeUInt32LE(16_000, 24);
  out.writeUInt32LE(16_000 * 2 * bytes, 28);
  out.writeUInt16LE(2 * bytes, 32);
  out.writeUInt16LE(encoding.bits, 34);
  if (encoding.extensible) {
    out.writeUInt16LE(22, 36);
    out.writeUInt16LE(encoding.bits, 38);
    out.writeUInt16LE(encoding.tag, 44);
  }
  let at = 20 + formatSize;
  out.write("data", at);
  out.writeUInt32LE(dataSize, at + 4);
  at += 8;
  const write = (x: number) => {
    const full = 2 ** (encoding.bits - 1);
    if (encoding.tag === 3)
      encoding.bits === 32 ? out.writeFloatLE(x, at) : out.writeDoubleLE(x, at);
    else if (encoding.bits === 8) out.writeUInt8(Math.round(x * full) + 128, at);
    else out.writeIntLE(Math.round(x * full), at, bytes);
    at += bytes;
  };
  for (const x of ramp) {
    write(x);
    write(x / 2);
  }
  return new Uint8Array(out);
}

const ramp = Array.from({ length: 64 }, (_, i) => (i - 32) / 64);

describe("decodeAudio, WAV", () => {
  it.each([
    [{ tag: 1, bits: 8 }, 1 / 128],
    [{ tag: 1, bits: 16 }, 1 / 32768],
    [{ tag: 1, bits: 24 }, 1e-6],
    [{ tag: 1, bits: 32 }, 1e-7],
    [{ tag: 3, bits: 32 }, 1e-7],
    [{ tag: 3, bits: 64 }, 1e-7],
    [{ tag: 1, bits: 24, extensible: true }, 1e-6],
    [{ tag: 3, bits: 32, extensible: true }, 1e-7],
  ])(
    "reads %j as the mean of its channels (common fault 5: their sum x .707, or no decoder)",
    async (encoding, step) => {
      const { sampleRateHz, samples } = await decodeAudio(wav(encoding, ramp), limits);
      expect(sampleRateHz).toBe(16_000);
      expect(
        largestDifference(
          samples,
          ramp.map((x) => (x * 3) / 4),
        ),
      ).toBeLessThanOrEqual(step);
    },
  );

  it("reads what there is of a recording that was cut short", async () => {
    const whole = wav({ tag: 1, bits: 16 }, ramp);
    const { samples } = await decodeAudio(whole.subarray(0, whole.length - 101), limits);
    expect(samples.length).toBe(38);
  });

  it("reads RF64 up to the length its ds64 chunk gives, not the chunks behind", async () => {
    const whole = Buffer.from(wav({ tag: 1, bits: 16 }, ramp));
    const ds64 = Buffer.alloc(36);
    ds64.write("ds64", 0);
    ds64.writeUInt32LE(28, 4);
    ds64.writeBigUInt64LE(BigInt(ramp.length * 4), 16);
    const header = Buffer.from(whole.subarray(0, 12));
    header.write("RF64", 0);
    const rest = Buffer.from(whole.subarray(12));
    rest.writeUInt32LE(0xffffffff, 28);
    const file = Buffer.concat([header, ds64, rest, Buffer.from("LIST\x04\0\0\0abcd", "latin1")]);
    const { samples } = await decodeAudio(new Uint8Array(file), limits);
    expect(samples.length).toBe(ramp.length);
  });

  it("refuses compressed samples, samples that are not numbers, and a header without data", async () => {
    await expect(decodeAudio(wav({ tag: 0x9999, bits: 8 }, ramp), limits)).rejects.toMatchObject({
      code: expect.stringMatching(/^un(supported|decodable)_media$/), // the second by ffmpeg
    });
    await expect(
      decodeAudio(wav({ tag: 3, bits: 32 }, [0, Number.NaN]), limits),
    ).rejects.toMatchObject({
      code: "invalid_input",
    });
    await expect(
      decodeAudio(wav({ tag: 1, bits: 16 }, ramp).subarray(0, 36), limits),
    ).rejects.toMatchObject({
      code: "undecodable_media",
    });
  });
});

describe("decodeAudio, compressed formats", () => {
  it.each([
    ["sheep.flac", 1.1],
    ["pig.mp3", 1.2],
    ["rain.ogg", 5],
    ["thunder.opus", 6],
    ["scene.opus", 30],
  ])("hears %s for about %d s, within [-1.5, 1.5] and not silent", async (file, seconds) => {
    const { sampleRateHz, samples } = await decodeAudio(fixture(`audio/${file}`), limits);
    expect(Math.abs(samples.length / sampleRateHz - seconds)).toBeLessThan(0.5 * seconds);
    const peak = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(peak).toBeGreaterThan(0.05);
    expect(peak).toBeLessThan(1.5);
  });

  // Rate and samples that libsndfile 1.2.2 (soundfile, librosa) gives; ours differ from its samples
  // by at most 3e-5.
  it.each([
    ["speech.flac", 22_050, 61_402], // ends in silence: a last frame of 13 bytes
    ["sheep.flac", 44_100, 48_945],
    ["cow.ogg", 44_100, 97_957],
    ["rain.ogg", 44_100, 220_500],
    ["guitar.mp3", 44_100, 176_400],
    ["pig.mp3", 44_100, 56_211],
    ["thunder.opus", 48_000, 288_000],
    ["scene.opus", 48_000, 1_440_000],
    ["burp.wav", 44_100, 34_984],
  ])(
    "gives %s as many samples as libsndfile, the encoder's delay and padding removed",
    async (file, rate, length) => {
      const { sampleRateHz, samples } = await decodeAudio(fixture(`audio/${file}`), limits);
      expect([sampleRateHz, samples.length]).toEqual([rate, length]);
    },
  );

  it.skipIf(withoutFfmpeg)(
    "agrees with ffmpeg sample by sample, up to the codec's delay",
    async () => {
      for (const file of ["sheep.flac", "rain.ogg", "thunder.opus", "waves.mp3"]) {
        const { sampleRateHz, samples } = await decodeAudio(fixture(`audio/${file}`), limits);
        // All channels, as WAV: ffmpeg's own down-mix to mono is not their mean.
        const args = [
          "-v",
          "error",
          "-i",
          `fixtures/audio/${file}`,
          "-c:a",
          "pcm_f32le",
          "-f",
          "wav",
          "-",
        ];
        const { stdout } = spawnSync("ffmpeg", args, { maxBuffer: 1 << 28 });
        const { samples: expected } = await decodeAudio(new Uint8Array(stdout), limits);
        // Measured: FLAC 0, Vorbis 1e-6, Opus 2e-4 (another build of libopus), MP3 2e-5.
        const length = Math.min(samples.length, expected.length);
        expect(Math.abs(samples.length - expected.length), file).toBeLessThan(sampleRateHz / 20);
        expect(
          largestDifference(samples.subarray(0, length), expected.subarray(0, length)),
          file,
        ).toBeLessThan(1e-2);
      }
    },
  );

  it.skipIf(withoutFfmpeg)(
    "decodes FLAC of 20 bits through ffmpeg: the decoder here divides its samples by 0",
    async () => {
      // Mono at 16 kHz, one frame of 16 samples that are stored as they are.
      const file =
        "664c6143800000220010001000000000000003e801300000001000000000000000000000000000000000fff8750a00000ff602800007ffff" +
        "00000fffff000012701a709300a99a66ec576e2372c1ec77dc741c59fe19f5918ee1e4eab1";
      const { sampleRateHz, samples } = await decodeAudio(
        new Uint8Array(Buffer.from(file, "hex")),
        limits,
      );
      expect([sampleRateHz, samples.length]).toEqual([16_000, 16]);
      expect([...samples.subarray(0, 5)]).toEqual([-1, 1 - 2 ** -19, 0, -(2 ** -19), 2 ** -19]);
    },
  );

  it.skipIf(withoutFfmpeg)("says that a film has further sounds, and that one is cut", async () => {
    const sounds = [440, 880].flatMap((f) => ["-f", "lavfi", "-i", `sine=f=${f}:d=1`]);
    const both = readFileSync(encodeWithFfmpeg("two.m4a", [...sounds, "-map", "0", "-map", "1"]));
    expect(await decodeAudio(both, limits)).toMatchObject({
      warnings: ["The file holds several sounds: one was read"],
    });
    const one = readFileSync(encodeWithFfmpeg("one.avi", sounds.slice(0, 4)));
    expect((await decodeAudio(one, limits)).warnings).toBeUndefined();
    const half = await decodeAudio(one.subarray(0, one.length * 0.75), limits);
    expect(half.warnings).toContain("The file is cut short: its header says that it is longer");
  });

  it.skipIf(withoutFfmpeg)("decodes M4A through ffmpeg", async () => {
    const path = encodeWithFfmpeg("tone.m4a", [
      "-f",
      "lavfi",
      "-i",
      "sine=440:duration=1:sample_rate=48000",
    ]);
    const { sampleRateHz, samples } = await decodeAudio(new Uint8Array(readFileSync(path)), limits);
    expect(samples.length / sampleRateHz).toBeCloseTo(1, 0);
    // sine=440 has an amplitude of 1/8: a mono file stays as loud as it is
    const middle = samples.subarray(12_000, 36_000);
    expect(Math.sqrt(middle.reduce((sum, x) => sum + x * x, 0) / middle.length)).toBeCloseTo(
      0.125 / Math.SQRT2,
      2,
    );
  });
});

describe("decodeAudio, hostile files", () => {
  it("says what to install where there is no ffmpeg", async () => {
    const path = process.env.PATH;
    process.env.PATH = "";
    try {
      const m4a = new Uint8Array(Buffer.from("00000020667479704d34412000000200", "hex"));
      await expect(decodeAudio(m4a, limits)).rejects.toMatchObject({
        code: "unsupported_media",
        message: expect.stringContaining("ffmpeg, which is not installed"),
      });
    } finally {
      process.env.PATH = path;
    }
  });

  it("stops at the longest sound allowed, before it decodes the rest", async () => {
    for (const file of ["sheep.flac", "rain.ogg", "thunder.opus", "waves.mp3", "crow.wav"]) {
      await expect(
        decodeAudio(fixture(`audio/${file}`), { maxSeconds: 0.2 }),
        file,
      ).rejects.toMatchObject({
        code: "too_large",
      });
    }
  });

  it("refuses a header with a rate of gigahertz, whose resampler would not fit in memory", async () => {
    const vorbis = Uint8Array.from(fixture("audio/cow.ogg"));
    new DataView(vorbis.buffer).setUint32(40, 1_778_428_996, true); // in the identification header
    new DataView(vorbis.buffer).setUint32(22, oggCrc(vorbis, 0, 58), true);
    await expect(decodeAudio(vorbis, limits)).rejects.toMatchObject({ code: "unsupported_media" });
    const riff = wav({ tag: 1, bits: 16 }, ramp);
    new DataView(riff.buffer, riff.byteOffset).setUint32(24, 4_000_000_000, true);
    await expect(decodeAudio(riff, limits)).rejects.toMatchObject({ code: "unsupported_media" });
  });

  it.skipIf(withoutFfmpeg)(
    "stops ffmpeg at the longest sound allowed: silence packs into almost nothing",
    async () => {
      const silence = [
        "-f",
        "lavfi",
        "-i",
        "anullsrc=channel_layout=7.1:sample_rate=48000",
        "-t",
        "60",
      ];
      const bytes = new Uint8Array(readFileSync(encodeWithFfmpeg("silence.m4a", silence)));
      await expect(decodeAudio(bytes, { maxSeconds: 5 })).rejects.toMatchObject({
        code: "too_large",
      });
    },
  );

  it("answers truncations and noise with a sound or an AppError, and still works afterwards", async () => {
    const random = seededRandom(1);
    const ours = new Set(["undecodable_media", "unsupported_media", "invalid_input", "too_large"]);
    const tryIt = async (bytes: Uint8Array) => {
      try {
        const { samples } = await decodeAudio(bytes, limits);
        expect(samples.length).toBeGreaterThan(0);
      } catch (error) {
        expect(ours.has((error as { code: string }).code), String(error)).toBe(true);
      }
    };
    for (const file of ["sheep.flac", "rain.ogg", "thunder.opus", "pig.mp3", "crow.wav"]) {
      const whole = fixture(`audio/${file}`);
      const { samples } = await decodeAudio(whole, limits);
      for (let i = 0; i < 8; i++) await tryIt(whole.subarray(0, random.integer(whole.length)));
      for (let i = 0; i < 8; i++) {
        const damaged = Uint8Array.from(whole);
        for (let j = 0; j < 50; j++) damaged[random.integer(damaged.length)] = random.integer(256);
        await tryIt(damaged);
      }
      // Decoders are used again: what came before, or comes at the same time, leaves no trace.
      const after = await Promise.all([decodeAudio(whole, limits), decodeAudio(whole, limits)]);
      for (const again of after) {
        expect(again.samples.length, file).toBe(samples.length);
        expect(largestDifference(again.samples, samples), file).toBe(0);
      }
    }
    for (let i = 0; i < 50; i++)
      await tryIt(Uint8Array.from({ length: random.integer(500) }, () => random.integer(256)));
  }, 60_000);
});
