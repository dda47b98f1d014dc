import { describe, expect, it } from "vitest";
import { decodeAudio } from "../../../src/media/audio/decode-audio.js";
import { aiffFile, bytesOf, cafFile, wavFile } from "../../helpers/sound-files.js";

const limits = { maxSeconds: 60 };

/** Eight blocks of bytes that stand for nothing, behind heads that can be right. */
function blocks(size: number, headOf: (block: number) => Uint8Array): Buffer {
  return Buffer.concat(
    Array.from({ length: 8 }, (_, block) => {
      const head = headOf(block);
      const rest = Uint8Array.from(
        { length: size - head.length },
        (_, i) => (i * 31 + block * 17) & 255,
      );
      return Buffer.concat([head, rest]);
    }),
  );
}

async function figures(file: Uint8Array) {
  const { samples, warnings } = await decodeAudio(file, limits);
  const values = Array.from(samples, (sample) => sample * 32768);
  const sum = (of: (value: number) => number) =>
    values.reduce((total, value) => total + of(value), 0);
  return {
    count: values.length,
    first: values.slice(0, 4),
    last: values.slice(-2),
    sum: sum((value) => value),
    size: sum(Math.abs),
    warnings,
  };
}

// All figures: the mean of the channels of what libsndfile 1.2.2 (soundfile) decodes from the same
// bytes, as 16-bit integers.
describe("IMA ADPCM in WAV", () => {
  const head = (predictor: number, index: number) =>
    bytesOf([{ u16: predictor & 0xffff }, { u8: index }, { u8: 0 }], true);

  it("decodes one channel as libsndfile does", async () => {
    const data = blocks(36, (b) => head(b * 100 - 50, b * 5));
    const file = wavFile(data, {
      tag: 17,
      bits: 4,
      blockAlign: 36,
      extra: bytesOf([{ u16: 2 }, { u16: 65 }], true),
    });
    expect(await figures(file)).toEqual({
      count: 520,
      first: [-50, -50, -50, -61],
      last: [-24981, -3438],
      sum: -98026,
      size: 7735472,
      warnings: undefined,
    });
  });

  it("decodes two channels, whose words take turns", async () => {
    const data = blocks(72, (b) =>
      Buffer.concat([head(b * 100 - 50, b * 5), head(-b * 90, 60 - b * 5)]),
    );
    const extra = bytesOf([{ u16: 2 }, { u16: 65 }], true);
    const file = wavFile(data, { tag: 17, bits: 4, channels: 2, blockAlign: 72, extra });
    expect(await figures(file)).toEqual({
      count: 520,
      first: [-25, -1303, 1273.5, -1310],
      last: [-7909, -13700.5],
      sum: -282597,
      size: 5516158,
      warnings: undefined,
    });
  });

  it("mutes a block whose step cannot be, and says so", async () => {
    const data = blocks(36, (b) => head(0, b === 3 ? 200 : 10));
    const file = wavFile(data, { tag: 17, bits: 4, blockAlign: 36 });
    const { samples, warnings } = await decodeAudio(file, limits);
    expect(samples.length).toBe(520);
    // The sound before it, backwards, fades over into the sound behind it.
    expect(samples[195]).toBeCloseTo((64.5 / 65) * samples[194] + (0.5 / 65) * samples[324], 6);
    expect(warnings).toEqual([expect.stringContaining("1 damaged block was filled in")]);
  });
});

describe("Microsoft ADPCM in WAV", () => {
  const coefficients = [256, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232];
  const extra = (blockFrames: number) =>
    bytesOf(
      [
        { u16: 32 },
        { u16: blockFrames },
        { u16: 7 },
        ...coefficients.map((c) => ({ u16: c & 0xffff })),
      ],
      true,
    );

  // 150 frames of 9000 sin(t/9) + 4000 sin(t/3.3), and 7000 sin(t/5) in the other channel, encoded
  // by ffmpeg 5.1 (-c:a adpcm_ms -block_size 64).
  const mono =
    "0010008f08000077777100fffeff001213110ebbccdccedeeff12344232210feee014653534342211ffddbdcedeff01110feaccccdcdeeff22535324221100ff" +
    "0000018f026502134453433221febccdcceedff000120074000000f1f1f1f01f10f1f1f01f1f1f10000000000000000000000000000000000000000000000000";
  const stereo =
    "0000100010008f086e0500000000777777777510010ff0fefeeefdfc0c0e1d2d1d3d1e1f00e2b2b5c4c3d5c3c3e4d3e3e2f3f111203e4d4b2c3c2d2c1c0dfeed" +
    "0000aa0063011aedc5e635ee5ee9ff1f4152435444344433343333230202e2c0cfddbcebdcedeced0c0d0d1e1d1fffd0b1b3c5c4c4d3d4c3e4e3f3021222513f" +
    "0000a401ce0096eae016c3e365194c3b3d2c2d2c0d0dfefdfe0e20416235533543343334230303d2b2c1c0cfdddcdbccedfcfcfe0d1d1d1e1e0f774701000000";

  it("decodes one channel as libsndfile does", async () => {
    const file = wavFile(Buffer.from(mono, "hex"), {
      tag: 2,
      bits: 4,
      blockAlign: 64,
      extra: extra(116),
    });
    expect(await figures(file)).toEqual({
      count: 232,
      first: [0, 2191, 2303, 2569],
      last: [7, 7],
      sum: 127152,
      size: 852996,
      warnings: undefined,
    });
  });

  it("decodes two channels, whose codes take turns", async () => {
    const options = { tag: 2, bits: 4, channels: 2, blockAlign: 64, extra: extra(52) };
    expect(await figures(wavFile(Buffer.from(stereo, "hex"), options))).toEqual({
      count: 156,
      first: [0, 1790.5, 1902.5, 2168.5],
      last: [-127, -127],
      sum: 69358.5,
      size: 508407.5,
      warnings: undefined,
    });
  });
});

describe("IMA 4:1 in AIFF-C and CAF", () => {
  // 128 frames of the two tones above, encoded by libsndfile 1.2.2, and decoded by ffmpeg 5.1: as
  // QuickTime does, both go on with the state of the block before where the head, which is rounded,
  // agrees with it; libsndfile begins anew (77 of 32768 apart).
  const packets =
    "000070777777479898880800211098ebcccbacaa8a08222433138199aa18644544330000707777771788a9aabbcbaa891832455333333211a8dbccbccbab9b8a" +
    "113445431a3a241280a9ccbbbb9a091001b9deccbcbbab0a314534241302808808214653432200b843221201a9dbbcccabbb9a093154533334231280c9dbbcbc" +
    "cbaa990832454334";

  it.each([
    ["AIFF-C", aiffFile(Buffer.from(packets, "hex"), { type: "ima4", channels: 2, frames: 2 })],
    [
      "CAF",
      cafFile(Buffer.from(packets, "hex"), {
        type: "ima4",
        channels: 2,
        bits: 0,
        bytesPerPacket: 68,
        framesPerPacket: 64,
      }),
    ],
  ])("decodes %s as ffmpeg does", async (_, file) => {
    expect(await figures(file)).toMatchObject({
      count: 128,
      first: [0, 11, 41, 104],
      last: [5643, 6922],
      sum: 6647.5,
      warnings: undefined,
    });
  });
});
