import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isAnswerTo } from "../../src/media/decoder-answer.js";
import type { DecoderCall } from "../../src/media/serve-decoding.js";

const preprocess = (model: string, tower: string) =>
  JSON.parse(readFileSync(`models/${model}/manifest.json`, "utf8")).towers[tower].preprocess;
const image = preprocess("starter-clip", "image");
const audio = { ...preprocess("starter-clap", "audio"), longer: "windows" };
const bands = audio.mel.count;
const contentHash = "0".repeat(64);
const media = { key: 1 };
const range = { start: 0, count: 2 };
const window = { startSeconds: 0, endSeconds: 1, isLonger: false };
const tensor = (fill = 0, frames = 10) =>
  new Uint8Array(new Float32Array(frames * bands).fill(fill).buffer);

const picture: DecoderCall = { method: "decodeImage", key: 1, limits: { maxPixels: 100 } };
const sound: DecoderCall = { method: "decodeAudio", key: 1, limits: { maxSeconds: 1 } };
const pixels: DecoderCall = { method: "imagePixels", media, spec: image };
const windows: DecoderCall = { method: "audioTensors", media, spec: audio, range };
const thumbnail: DecoderCall = { method: "thumbnail", media };
const waveform: DecoderCall = { method: "waveform", media };
const shape = [1, 10, bands];
const side = image.crop;

describe("an answer of a decoding process", () => {
  it.each<[DecoderCall, unknown, Uint8Array<ArrayBuffer>[]]>([
    [picture, { width: 10, height: 10, contentHash }, []],
    [picture, { width: 1, height: 1, contentHash, warnings: ["It is cut short"] }, []],
    [sound, { sampleRateHz: 44_100, sampleCount: 0, contentHash }, []],
    [pixels, null, [new Uint8Array(3 * side * side)]],
    [windows, { windows: [window, window], shape, total: 7 }, [tensor(), tensor(-100)]],
    [windows, { windows: [], shape, total: 1 }, []],
    [thumbnail, { mediaType: "image/webp" }, [new Uint8Array(100)]],
    [waveform, { mediaType: "image/svg+xml" }, [new Uint8Array(100)]],
  ])("is one, to %j: %j", (call, value, buffers) => {
    expect(isAnswerTo(call, value, buffers)).toBe(true);
  });

  it.each<[string, DecoderCall, unknown, Uint8Array<ArrayBuffer>[]]>([
    ["more pixels than allowed", picture, { width: 10, height: 11, contentHash }, []],
    ["no size", picture, { width: -1, height: -1, contentHash }, []],
    ["another field", picture, { width: 1, height: 1, contentHash, rgb: "" }, []],
    ["no hash", picture, { width: 1, height: 1, contentHash: "../x" }, []],
    ["a buffer too many", picture, { width: 1, height: 1, contentHash }, [new Uint8Array(1)]],
    ["no rate", sound, { sampleRateHz: 0, sampleCount: 1, contentHash }, []],
    ["no count", sound, { sampleRateHz: 1, sampleCount: 0.5, contentHash }, []],
    ["too few pixels", pixels, null, [new Uint8Array(3 * side * side - 1)]],
    ["no pixels", pixels, null, []],
    [
      "more windows than asked for",
      windows,
      { windows: Array(3).fill(window), shape, total: 7 },
      [tensor(), tensor(), tensor()],
    ],
    ["a window without a tensor", windows, { windows: [window], shape, total: 1 }, []],
    ["a tensor of another size", windows, { windows: [window], shape, total: 1 }, [tensor(0, 9)]],
    [
      "another number of bands",
      windows,
      { windows: [window], shape: [1, 10, bands + 1], total: 1 },
      [new Uint8Array(40 * (bands + 1))],
    ],
    [
      "a number that is none",
      windows,
      { windows: [window], shape, total: 1 },
      [tensor(Number.NaN)],
    ],
    ["a number without end", windows, { windows: [window], shape, total: 1 }, [tensor(-Infinity)]],
    ["a page", thumbnail, { mediaType: "text/html" }, [new Uint8Array(1)]],
    ["a huge preview", waveform, { mediaType: "image/webp" }, [new Uint8Array(2 ** 21)]],
  ])("is none: %s", (_, call, value, buffers) => {
    expect(isAnswerTo(call, value, buffers)).toBe(false);
  });
});
