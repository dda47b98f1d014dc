import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../errors.js";
import { pictureSize } from "../picture-size.js";

const timeoutMs = 30_000;

/**
 * libheif's own converters by their newer and older names, and ffmpeg (7.1 or newer reads HEIC).
 */
const converters: { command: string; args: (from: string, to: string) => string[] }[] = [
  { command: "heif-dec", args: (from, to) => [from, to] },
  { command: "heif-convert", args: (from, to) => [from, to] },
  {
    command: "ffmpeg",
    args: (from, to) => [
      ...["-nostdin", "-v", "error", "-protocol_whitelist", "file", "-f", "mov", "-i", from],
      ...["-frames:v", "1", "-y", to],
    ],
  },
];

/**
 * HEIC -> PNG, turned upright, by a converter of the system: HEVC decoders are not free to ship.
 *
 * @throws AppError `too_large` (more than `maxPixels` by its header), `unsupported_media` (no
 *   converter here can read it).
 */
export async function heicToPng(bytes: Uint8Array, maxPixels: number): Promise<Uint8Array> {
  const { width, height } = pictureSize(bytes) ?? { width: 0, height: 0 };
  const pixels = width * height;
  if (pixels > maxPixels) {
    const message = `The picture has ${pixels} pixels; at most ${maxPixels} are allowed`;
    throw new AppError("too_large", `${message} (option maxImagePixels)`, { param: "image" });
  }
  const folder = await mkdtemp(join(tmpdir(), "crossmodal-"));
  try {
    const [from, to] = [join(folder, "input.heic"), join(folder, "output.png")];
    await writeFile(from, bytes);
    for (const { command, args } of converters) {
      await run(command, args(from, to), folder);
      // Of several pictures in one file, the first is the first one taken.
      for (const path of [to, join(folder, "output-1.png")]) {
        const png = await readFile(path).catch(() => undefined);
        if (png !== undefined && png.length > 0) return png;
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const message =
    "HEIC pictures are read by libheif's converter (heif-dec or heif-convert) or ffmpeg 7.1, " +
    "and none of those installed could read this one";
  throw new AppError("unsupported_media", message, { param: "image" });
}

/** Resolves when the converter has ended in any way: its output decides. */
function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      stdio: "ignore",
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    child.on("error", () => resolve());
    child.on("close", () => resolve());
  });
}
