import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../errors.js";
import type { DecodedAudio } from "../encoder.js";
import { checkSeconds } from "./mono-collector.js";
import { meanOfChannels, readWav } from "./wav.js";

const timeoutMs = 120_000;

/**
 * Decodes what has no free decoder of its own here (AAC in MP4 or ADTS, WebM, AIFF) with the `ffmpeg` on PATH. The demuxer
 * is fixed and only files may be opened: a hostile file cannot make it fetch something.
 *
 * @throws AppError `unsupported_media` where there is no ffmpeg, `undecodable_media` when it finds no sound.
 */
export async function decodeWithFfmpeg(bytes: Uint8Array, demuxer: string, maxSeconds: number): Promise<DecodedAudio> {
  // MP4 keeps its index at the end: it must be a file that can be sought in, not a pipe.
  const folder = await mkdtemp(join(tmpdir(), "crossmodal-"));
  try {
    const path = join(folder, "input");
    await writeFile(path, bytes);
    const source = ["-protocol_whitelist", "file", "-f", demuxer, "-i", path];
    const limit = ["-t", String(maxSeconds + 1)];
    // As WAV with all its channels: ffmpeg's own down-mix is not the mean, and mono made stereo loses 3 dB.
    const output = ["-vn", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1"];
    const decoded = readWav(await run(["-nostdin", "-v", "error", ...source, ...limit, ...output]));
    checkSeconds(decoded.frames / decoded.sampleRateHz, maxSeconds);
    return meanOfChannels(decoded);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[]): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const child = spawn("ffmpeg", args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const chunks: Buffer[] = [];
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      if (complaint.length < 2000) complaint += chunk.toString();
    });
    child.on("error", (cause: NodeJS.ErrnoException) => {
      const message =
        cause.code === "ENOENT"
          ? "AAC, M4A, WebM and AIFF are decoded by ffmpeg, which is not installed on the server"
          : "ffmpeg could not be started";
      reject(new AppError("unsupported_media", message, { param: "audio", cause }));
    });
    child.on("close", (code) => {
      const size = chunks.reduce((total, chunk) => total + chunk.length, 0);
      if (size > 0) resolve(Uint8Array.from(Buffer.concat(chunks)));
      else {
        const cause = new Error(`ffmpeg ended with ${code}: ${complaint}`);
        reject(
          new AppError("undecodable_media", "The file holds no sound that ffmpeg can decode", {
            param: "audio",
            cause,
          }),
        );
      }
    });
  });
}
