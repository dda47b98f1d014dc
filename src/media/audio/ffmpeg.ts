import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { AudioLimits } from "./mono-collector.js";
import type { PcmLayout } from "./pcm.js";
import type { SoundBuilder } from "./sound-builder.js";
import { undecodable, unsupported } from "./undecodable.js";
import { Warnings } from "./warnings.js";
import { readWavLayout } from "./wav-layout.js";

const timeoutMs = 120_000;
/** Bytes of output mixed at once. */
const piece = 1 << 18;
/** The largest block ffmpeg may take: headers can ask for gigabytes. */
const maxBlockBytes = 2 ** 28;

/**
 * Decodes what has no decoder here with the `ffmpeg` on PATH. The demuxer is fixed and only files
 * may be opened, so a hostile file cannot make it fetch anything. Its output is mixed to mono as it
 * arrives, so that a small file with hours of silence in many channels does not fill the memory.
 *
 * @param source.name  the kind of file, for the error when ffmpeg is missing.
 * @throws AppError `unsupported_media` where there is no ffmpeg, `undecodable_media` when it finds
 *   no sound or takes longer than two minutes, `too_large` for more than the limits.
 */
export async function decodeWithFfmpeg(
  bytes: Uint8Array,
  source: { demuxer: string; name: string },
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  // MP4 keeps its index at the end: it needs a seekable file, not a pipe.
  const folder = await mkdtemp(join(tmpdir(), "crossmodal-"));
  try {
    const path = join(folder, "input");
    await writeFile(path, bytes);
    const args = ffmpegArguments(path, source.demuxer, sound.limits);
    await run(args, source.name, sound, warnings);
    if (lacksBytes(bytes, source.demuxer))
      warnings.add("The file is cut short: its header says that it is longer");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a file is shorter than its header says, where ffmpeg does not notice. */
function lacksBytes(bytes: Uint8Array, demuxer: string): boolean {
  if (demuxer !== "avi" && demuxer !== "iff") return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(4, demuxer === "avi") > bytes.length - 8;
}

function ffmpegArguments(path: string, demuxer: string, { maxSeconds }: AudioLimits): string[] {
  // Its level stands before each line; "info" lists the streams.
  const log = ["-hide_banner", "-nostats", "-v", "level+info"];
  const general = ["-nostdin", ...log, "-max_alloc", String(maxBlockBytes)];
  const input = ["-protocol_whitelist", "file", "-threads", "1", "-f", demuxer, "-i", path];
  // For video, only the sound. As WAV with all channels: ffmpeg's down-mix is not the mean, and
  // mono upmixed to stereo loses 3 dB.
  const output = ["-vn", "-sn", "-dn", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1"];
  return [...general, ...input, "-t", String(maxSeconds + 1), ...output];
}

/** The first line of `ffmpeg -version`; undefined without ffmpeg. */
export async function ffmpegVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ffmpeg", ["-version"], { timeout: 10_000 });
    return /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? "unknown";
  } catch {
    return undefined;
  }
}

async function run(
  args: readonly string[],
  name: string,
  sound: SoundBuilder,
  warnings: Warnings,
): Promise<void> {
  const child = spawn("ffmpeg", args, { stdio: ["ignore", "pipe", "pipe"] });
  const stop = () => {
    child.stdout.destroy(); // it ends by writing there, also where a sandbox refuses signals
    child.kill("SIGKILL");
  };
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeoutMs);
  let complaint = "";
  let sounds = 0;
  createInterface(child.stderr).on("line", (line) => {
    if (/^(\[[^\]]* @ [^\]]*\] )?\[(error|fatal|panic)\]/.test(line)) {
      if (complaint.length < 2000) complaint += `${line}\n`;
    } else if (/^\[info\] +Stream #0:\d+[^ ]*: Audio: /.test(line)) sounds++;
  });
  const closed = new Promise<void>((resolve, reject) => {
    child.on("error", (error) => child.pid === undefined && reject(error));
    child.on("close", () => resolve());
  });
  const collected = collectWav(child.stdout, sound).catch((error) => {
    stop();
    throw error;
  });
  const [ending, found] = await Promise.allSettled([closed, collected]);
  clearTimeout(timer);
  if (ending.status === "rejected") {
    const cause: NodeJS.ErrnoException = ending.reason;
    const missing = `${name} is decoded by ffmpeg, which is not installed on the server`;
    throw unsupported(cause.code === "ENOENT" ? missing : "ffmpeg could not be started", cause);
  }
  if (found.status === "rejected") throw found.reason;
  if (timedOut) throw undecodable("ffmpeg took too long to decode the file", new Error(complaint));
  if (!found.value)
    throw undecodable("The file holds no sound that ffmpeg can decode", new Error(complaint));
  // One more is listed as the output
  if (sounds > 2) warnings.add("The file holds several sounds: one was read");
  if (complaint !== "")
    warnings.add("ffmpeg found damage in the file: parts of the sound may be missing or muted");
}

/** Adds a float32 WAV that arrives in pieces. @returns whether any frame arrived. */
async function collectWav(stream: AsyncIterable<Buffer>, sound: SoundBuilder): Promise<boolean> {
  let pending: Buffer = Buffer.alloc(0);
  let layout: PcmLayout | undefined;
  let found = false;
  const take = () => {
    if (layout === undefined) {
      layout = readWavLayout(pending, new Warnings());
      pending = pending.subarray(layout.start);
    }
    const { channels, sampleRateHz } = layout;
    const frameBytes = 4 * channels;
    const frames = Math.floor(pending.length / frameBytes);
    const view = new DataView(pending.buffer, pending.byteOffset, pending.byteLength);
    const planes = Array.from({ length: channels }, (_, channel) =>
      Float32Array.from({ length: frames }, (_, frame) =>
        view.getFloat32(frame * frameBytes + channel * 4, true),
      ),
    );
    sound.add(planes, frames, sampleRateHz);
    found ||= frames > 0;
    pending = pending.subarray(frames * frameBytes);
  };
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk]);
    if (pending.length >= piece) take();
  }
  if (pending.length > 0) take();
  return found;
}
