import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../src/errors.js";
import { decodeAudio } from "../../src/media/audio/decode-audio.js";
import { fixture } from "./fixtures.js";
import type { FuzzResult, Seed } from "./mutate.js";
import {
  aiffFile,
  auFile,
  cafFile,
  int16Bytes,
  toneSamples,
  w64File,
  wavFile,
} from "./sound-files.js";

export const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

/**
 * Whole files of every format that is read here; those that only ffmpeg reads where it is
 * installed.
 */
export function soundSeeds(): Seed[] {
  const tone = toneSamples(12_000);
  const [little, big] = [int16Bytes(tone, true), int16Bytes(tone, false)];
  const blocks = (size: number, header: number) =>
    Uint8Array.from({ length: 40 * size }, (_, i) =>
      i % size < header ? 0 : (i * 31 + (i >> 5)) & 255,
    );
  const g711 = Uint8Array.from({ length: 8000 }, (_, i) => (i * 7) & 255);
  const made: [string, Uint8Array][] = [
    ["wav", wavFile(little)],
    ["rifx", wavFile(big, { id: "RIFX" })],
    ["bw64", wavFile(little, { id: "BW64" })],
    ["w64", w64File(little)],
    ["alaw.wav", wavFile(g711, { tag: 6, bits: 8 })],
    ["ulaw.wav", wavFile(g711, { tag: 7, bits: 8 })],
    [
      "ima.wav",
      wavFile(blocks(256, 4), {
        tag: 17,
        bits: 4,
        blockAlign: 256,
        extra: Buffer.from("0200f901", "hex"),
      }),
    ],
    ["ms.wav", wavFile(blocks(256, 7), { tag: 2, bits: 4, blockAlign: 256, extra: msExtra() })],
    ["aiff", aiffFile(big, { frames: 12_000 })],
    ["aifc", aiffFile(little, { frames: 12_000, type: "sowt" })],
    ["ima4.aifc", aiffFile(blocks(34, 2), { frames: 40, type: "ima4" })],
    ["au", auFile(big)],
    ["caf", cafFile(big)],
  ];
  const files = ["sheep.flac", "pig.mp3", "cow.ogg", "thunder.opus"];
  const stored = files.map((file): [string, Uint8Array] => [file, fixture(`audio/${file}`)]);
  return [...made, ...stored, ...(hasFfmpeg ? encodedSeeds() : [])].map(([name, bytes]) => ({
    name,
    bytes,
  }));
}

/** Microsoft's seven pairs of coefficients, behind 2 bytes of length and the samples of a block. */
function msExtra(): Buffer {
  const numbers = [32, 500, 7, 256, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232];
  const extra = Buffer.alloc(2 * numbers.length);
  for (const [i, number] of numbers.entries()) extra.writeInt16LE(number, 2 * i);
  return extra;
}

function encodedSeeds(): [string, Uint8Array][] {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-fuzz-"));
  try {
    return [
      ["aac", "-c:a aac"],
      ["m4a", "-c:a aac"],
      ["webm", "-c:a libopus"],
      ["oga", "-c:a flac"],
      ["wv", "-c:a wavpack"],
    ].map(([extension, codec]) => {
      const path = join(folder, `seed.${extension}`);
      const source = ["-f", "lavfi", "-i", "sine=440:duration=1:sample_rate=48000"];
      spawnSync("ffmpeg", ["-v", "error", ...source, ...codec.split(" "), path]);
      return [extension, new Uint8Array(readFileSync(path))] as [string, Uint8Array];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Outcome = "refused" | "warned" | "agrees" | "unchecked";

const byDesign = new Set(["undecodable_media", "unsupported_media", "invalid_input", "too_large"]);

/** Decodes a damaged file: an error by design, warnings, or the length that ffmpeg gives. */
export async function fuzzSound(bytes: Uint8Array): Promise<FuzzResult<Outcome>> {
  let decoded: Awaited<ReturnType<typeof decodeAudio>>;
  try {
    decoded = await decodeAudio(bytes, { maxSeconds: 600 });
  } catch (error) {
    const isByDesign = error instanceof AppError && byDesign.has(error.code);
    return { outcome: "refused", fault: isByDesign ? undefined : String(error) };
  }
  const { samples, sampleRateHz, warnings } = decoded;
  if (!samples.every(Number.isFinite)) return { outcome: "unchecked", fault: "not finite" };
  if (warnings !== undefined) {
    const isList = warnings.length > 0 && warnings.length < 40;
    return { outcome: "warned", fault: isList ? undefined : "warnings without bound" };
  }
  const expected = hasFfmpeg ? ffmpegSeconds(bytes) : undefined;
  if (expected === undefined) return { outcome: "unchecked" };
  const seconds = samples.length / sampleRateHz;
  // A frame: the longest there are, of FLAC and of AAC with doubled rate.
  const frame = 4608 / Math.min(sampleRateHz, 48_000);
  if (Math.abs(seconds - expected) <= frame) return { outcome: "agrees" };
  return { outcome: "unchecked", fault: `${seconds} s; ffmpeg gives ${expected} s` };
}

/** Undefined when ffmpeg finds no sound. */
function ffmpegSeconds(bytes: Uint8Array): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), "crossmodal-fuzz-"));
  try {
    const path = join(folder, "file");
    writeFileSync(path, bytes);
    const args = [
      "-nostdin",
      "-v",
      "quiet",
      "-i",
      path,
      "-map",
      "0:a:0",
      "-t",
      "601",
      "-ac",
      "1",
      "-ar",
      "8000",
    ];
    const { stdout } = spawnSync("ffmpeg", [...args, "-f", "s16le", "-"], {
      maxBuffer: 1 << 28,
      timeout: 60_000,
    });
    return stdout.length === 0 ? undefined : stdout.length / 2 / 8000;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
