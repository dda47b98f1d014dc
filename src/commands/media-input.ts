import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import type { Modality } from "../encoders/encoder.js";
import { sniffModality } from "../media/sniff.js";
import { CommandError } from "./target.js";
import { whyNoMedia } from "./unsupported-media.js";
import { fileError } from "./walk-files.js";

export type MediaModality = Exclude<Modality, "text">;

/** A picture or sound named on the command line, as base64 for a request; `-` is standard input. */
export async function readMediaFile(
  path: string,
): Promise<{ modality: MediaModality; base64: string }> {
  let bytes: Buffer;
  try {
    bytes = path === "-" ? await readStdin() : await readFile(path);
  } catch (error) {
    throw new CommandError(`${path}: ${fileError(error as Error)}`);
  }
  const modality = sniffModality(bytes);
  if (modality === undefined)
    throw new CommandError(`${path}: ${whyNoMedia(bytes.length, extname(path).toLowerCase())}`);
  return { modality, base64: bytes.toString("base64") };
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
