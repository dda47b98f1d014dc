import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DecodedAudio } from "../../encoders/encoder.js";
import { AppError } from "../../errors.js";
import { type AudioLimits, MonoCollector } from "./mono-collector.js";
import { type PcmAudio, readWav } from "./wav.js";

const timeoutMs = 120_000;
/** Bytes of output mixed at once. */
const piece = 1 << 18;

/**
 * Decodes what has no free decoder of its own here (AAC in MP4 or ADTS, WebM, AIFF, FLAC of 12 or 20 bits) with the `ffmpeg` on PATH. The demuxer
 * is fixed and only files may be opened: a hostile file cannot make it fetch something. Its output is mixed to mono as it
 * comes, so that a small file of hours of silence in many channels does not fill the memory.
 *
 * @throws AppError `unsupported_media` where there is no ffmpeg, `undecodable_media` when it finds no sound or takes longer
 *   than two minutes, `too_large` for more than the limits.
 */
export async function decodeWithFfmpeg(
  bytes: Uint8Array,
  demuxer: string,
  limits: AudioLimits,
): Promise<DecodedAudio> {
  // MP4 keeps its index at the end: it must be a file that can be sought in, not a pipe.
  const folder = await mkdtemp(join(tmpdir(), "crossmodal-"));
  try {
    const path = join(folder, "input");
    await writeFile(path, bytes);
    const source = ["-protocol_whitelist", "file", "-f", demuxer, "-i", path];
    const limit = ["-t", String(limits.maxSeconds + 1)];
    // As WAV with all its channels: ffmpeg's own down-mix is not the mean, and mono made stereo loses 3 dB.
    const output = ["-vn", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1"];
    return await run(["-nostdin", "-v", "error", ...source, ...limit, ...output], limits);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `ffmpeg -version` says first; undefined where there is none. */
export async function ffmpegVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ffmpeg", ["-version"], { timeout: 10_000 });
    return /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? "unknown";
  } catch {
    return undefined;
  }
}

async function run(args: readonly string[], limits: AudioLimits): Promise<DecodedAudio> {
  const child = spawn("ffmpeg", args, { stdio: ["ignore", "pipe", "pipe"] });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    if (complaint.length < 2000) complaint += chunk.toString();
  });
  const closed = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve());
  });
  const collected = collectWav(child.stdout, limits).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  const [ending, mono] = await Promise.allSettled([closed, collected]);
  clearTimeout(timer);
  if (ending.status === "rejected") {
    const cause: NodeJS.ErrnoException = ending.reason;
    const missing =
      "AAC, M4A, WebM, AIFF and FLAC of unusual bit depths are decoded by ffmpeg, which is not installed on the server";
    const message = cause.code === "ENOENT" ? missing : "ffmpeg could not be started";
    throw new AppError("unsupported_media", message, { param: "audio", cause });
  }
  if (mono.status === "rejected") throw mono.reason;
  if (mono.value !== undefined && !timedOut) return mono.value;
  const message = timedOut
    ? "ffmpeg took too long to decode the file"
    : "The file holds no sound that ffmpeg can decode";
  throw new AppError("undecodable_media", message, { param: "audio", cause: new Error(complaint) });
}

/** A float32 WAV that arrives in pieces -> mono, or undefined when nothing arrived. */
async function collectWav(
  stream: AsyncIterable<Buffer>,
  limits: AudioLimits,
): Promise<DecodedAudio | undefined> {
  const mono = new MonoCollector(limits);
  let pending: Buffer = Buffer.alloc(0);
  let header: PcmAudio | undefined;
  const take = () => {
    if (header === undefined) {
      header = readWav(pending);
      pending = pending.subarray(header.dataStart);
    }
    const { channels, frameBytes, sampleRateHz } = header;
    const frames = Math.floor(pending.length / frameBytes);
    const view = new DataView(pending.buffer, pending.byteOffset, pending.byteLength);
    const planes = Array.from({ length: channels }, (_, channel) =>
      Float32Array.from({ length: frames }, (_, frame) =>
        view.getFloat32(frame * frameBytes + channel * 4, true),
      ),
    );
    mono.add(planes, frames, sampleRateHz);
    pending = pending.subarray(frames * frameBytes);
  };
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk]);
    if (pending.length >= piece) take();
  }
  if (pending.length > 0) take();
  return header === undefined ? undefined : mono.finish();
}
