import { extname } from "node:path";
import type { Modality } from "../encoders/encoder.js";
import type { OpenRegularOptions } from "../files/open-regular.js";
import { readRegularFile } from "../files/read-regular.js";
import { sniffModality } from "../media/sniff.js";
import { CommandError } from "./target.js";
import { whyNoMedia } from "./unsupported-media.js";
import { fileError } from "./walk-files.js";

export type MediaModality = Exclude<Modality, "text">;

/** As base64, a larger file is more than a string can hold. */
const maxMediaBytes = 384 * 2 ** 20;

/** A picture or sound named on the command line, as base64 for a request; `-` is standard input. */
export async function readMediaFile(
  path: string,
  options: OpenRegularOptions = {},
): Promise<{ modality: MediaModality; base64: string }> {
  let bytes: Buffer;
  try {
    bytes = path === "-" ? await readStdin() : await readRegularFile(path, maxMediaBytes, options);
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
