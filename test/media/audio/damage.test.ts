import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeAudio } from "../../../src/media/audio/decode-audio.js";
import { fixture } from "../../helpers/fixtures.js";
import { largestDifference } from "../../helpers/golden.js";
import { flacFrameStarts, id3 } from "../../helpers/sound-files.js";

const limits = { maxSeconds: 3600 };
const decode = (bytes: Uint8Array) => decodeAudio(bytes, limits);
const withoutFfmpeg = spawnSync("ffmpeg", ["-version"]).status !== 0;

describe("decodeAudio, damaged FLAC", () => {
  const flac = fixture("audio/sheep.flac");
  const starts = flacFrameStarts(flac);
  const block = Buffer.from(flac).readUInt16BE(8); // STREAMINFO's block size

  it("mutes a frame with a bad bit and keeps all others", async () => {
    const plain = await decode(flac);
    const damaged = Uint8Array.from(flac);
    damaged[starts[5] + 100] ^= 1;
    const { samples, warnings } = await decode(damaged);
    expect(samples.length).toBe(plain.samples.length);
    // The sound before it, backwards, fades over into the sound behind it.
    const middle = 5 * block + block / 2;
    expect(samples[middle]).toBeCloseTo(
      (plain.samples[middle - block - 1] + plain.samples[middle + block - 1]) / 2,
      3,
    );
    for (const [from, to] of [
      [0, 5 * block],
      [6 * block, samples.length],
    ])
      expect(largestDifference(samples.subarray(from, to), plain.samples.subarray(from, to))).toBe(
        0,
      );
    expect(warnings).toEqual([
      "1 damaged frame was filled in or skipped between 0.52 s and 0.63 s",
    ]);
  });

  it("puts silence where frames are missing", async () => {
    const plain = await decode(flac);
    const { samples, warnings } = await decode(
      Buffer.concat([flac.subarray(0, starts[3]), flac.subarray(starts[5])]),
    );
    expect(samples.length).toBe(plain.samples.length);
    expect(largestDifference(samples.subarray(5 * block), plain.samples.subarray(5 * block))).toBe(
      0,
    );
    expect(warnings).toEqual([expect.stringContaining("2 damaged frames")]);
  });

  it("reads frames without a header, and two files that were joined", async () => {
    const plain = await decode(flac);
    const middle = await decode(flac.subarray(starts[4] + 50));
    expect(largestDifference(middle.samples, plain.samples.subarray(5 * block))).toBe(0);
    expect(middle.warnings).toContain("The FLAC file begins in the middle: its header is missing");
    const joined = await decode(Buffer.concat([flac, id3(30), flac]));
    expect(joined.samples.length).toBe(2 * plain.samples.length);
    expect(joined.warnings).toBeUndefined();
  });

  it("warns of a wrong total of samples", async () => {
    const wrong = Uint8Array.from(flac);
    new DataView(wrong.buffer).setUint32(22, 1000); // the low bits of STREAMINFO's total
    const { samples, warnings } = await decode(wrong);
    expect(samples.length).toBe((await decode(flac)).samples.length);
    expect(warnings).toEqual([expect.stringContaining("The header says 0.02 s")]);
  });
});

describe("decodeAudio, damaged MP3", () => {
  const mp3 = fixture("audio/pig.mp3");
  /** The frames behind the tags: 128 kbit/s at 44.1 kHz are 417 or 418 bytes. */
  const frameStarts = (() => {
    const bytes = Buffer.from(mp3);
    const starts: number[] = [];
    const head = bytes.indexOf(Buffer.from([0xff, 0xfb]));
    for (let at = head; at >= 0 && at < bytes.length; ) {
      starts.push(at);
      at = bytes.indexOf(Buffer.from([0xff, 0xfb, bytes[head + 2] & 0xfd]), at + 100);
    }
    return starts;
  })();

  it("leaves out bytes between the frames and says so", async () => {
    const plain = await decode(mp3);
    const at = frameStarts[20];
    const { samples, warnings } = await decode(
      Buffer.concat([mp3.subarray(0, at), Buffer.alloc(100, 0x55), mp3.subarray(at)]),
    );
    expect(Math.abs(samples.length - plain.samples.length)).toBeLessThan(3 * 1152);
    expect(warnings?.join()).toContain("are not audio frames and were skipped");
  });

  it("begins anywhere in a frame", async () => {
    const { samples, warnings } = await decode(mp3.subarray(frameStarts[10] + 33));
    expect(samples.length).toBeGreaterThan(30_000);
    expect(warnings).toEqual([
      expect.stringMatching(/^The file begins with \d+ bytes that are not sound$/),
    ]);
  });

  it("removes delay and padding of each of two files joined with tags between them", async () => {
    const plain = await decode(mp3);
    const { samples, warnings } = await decode(Buffer.concat([mp3, id3(50), mp3]));
    expect(samples.length).toBe(2 * plain.samples.length);
    expect(largestDifference(samples.subarray(plain.samples.length), plain.samples)).toBeLessThan(
      1e-6,
    );
    expect(warnings).toBeUndefined();
  });

  it.skipIf(withoutFfmpeg)("plays each part at its own rate", async () => {
    const folder = mkdtempSync(join(tmpdir(), "crossmodal-mp3-"));
    const parts = [44_100, 22_050].map((rate) => {
      const path = join(folder, `${rate}.mp3`);
      const source = ["-f", "lavfi", "-i", `sine=441:duration=1:sample_rate=${rate}`];
      spawnSync("ffmpeg", ["-v", "error", ...source, path]);
      return readFileSync(path);
    });
    for (const files of [parts, parts.toReversed()]) {
      const { sampleRateHz, samples, warnings } = await decode(Buffer.concat(files));
      expect([sampleRateHz, samples.length]).toEqual([44_100, 88_200]);
      // 441 Hz all along: a second holds as many crossings of zero as half-waves.
      for (const from of [10_000, 54_100]) {
        let crossings = 0;
        for (let i = from; i < from + 22_050; i++)
          if (samples[i] < 0 !== samples[i + 1] < 0) crossings++;
        expect(Math.abs(crossings - 441)).toBeLessThanOrEqual(1);
      }
      expect(warnings).toBeUndefined();
    }
  });
});

describe("decodeAudio, of what is not a sound", () => {
  it("refuses samples without a header, however much they look like frames", async () => {
    const raw = Buffer.alloc(40_000);
    for (let i = 0; i < raw.length / 2; i++)
      raw.writeInt16LE(Math.round(-20 + 40 * Math.sin(i / 3)), 2 * i);
    await expect(decode(raw)).rejects.toMatchObject({ code: "unsupported_media" });
  });

  it("refuses a picture by name, also one that a tag is put before", async () => {
    await expect(decode(fixture("images/cat.jpg"))).rejects.toMatchObject({
      message: expect.stringContaining("The file is a picture (jpeg)"),
    });
    await expect(decode(Buffer.concat([id3(20), fixture("images/cat.jpg")]))).rejects.toMatchObject(
      {
        code: "unsupported_media",
      },
    );
  });
});
