import { readFile } from "node:fs/promises";
import type { Modality } from "../encoders/encoder.js";
import { sniffFormat } from "../encoders/preprocess/sniff.js";
import { CommandError } from "./target.js";

const pictures = new Set(["jpeg", "png", "webp", "gif", "avif", "tiff"]);

/** A picture or sound named on the command line, as base64 for a request; `-` is standard input. */
export async function readMediaFile(path: string): Promise<{ modality: Exclude<Modality, "text">; base64: string }> {
  let bytes: Buffer;
  try {
    bytes = path === "-" ? await readStdin() : await readFile(path);
  } catch (error) {
    throw new CommandError(
      `${path}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message}`,
    );
  }
  if (bytes.length === 0) throw new CommandError(`${path}: the file is empty`);
  const format = sniffFormat(bytes);
  if (format === undefined) throw new CommandError(`${path}: neither a picture nor a sound of a known format`);
  return { modality: pictures.has(format) ? "image" : "audio", base64: bytes.toString("base64") };
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
