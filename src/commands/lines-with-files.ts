import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { readMediaFile } from "./media-input.js";
import { isObject } from "./options.js";
import { CommandError } from "./target.js";

/**
 * Lines of items in which `"file": "cat.jpg"` stands for the bytes of that file, as a picture or a
 * sound: with its path as source, and as id where there is none. Other lines are passed on
 * unchanged.
 * @param pieces  each ends with a line.
 */
export async function* withFiles(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let number = 0;
  for await (const piece of pieces) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    // Most have none, and a piece may be hundreds of megabytes of base64
    if (!bytes.includes('"file"')) {
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) number++;
      yield piece;
      continue;
    }
    for (const line of bytes.toString("utf8").split("\n").slice(0, -1)) {
      number++;
      yield Buffer.from(`${line.includes('"file"') ? await inlined(line, number) : line}\n`);
    }
  }
}

async function inlined(line: string, number: number): Promise<string> {
  let item: unknown;
  try {
    item = JSON.parse(line);
  } catch {
    return line; // the server says what is wrong with it
  }
  if (!isObject(item) || !("file" in item)) return line;
  const { file, ...rest } = item;
  if (typeof file !== "string")
    throw new CommandError(`line ${number}: expected a path as "file"`, { code: "invalid_input" });
  const { modality, base64 } = await readMediaFile(file).catch((error: Error) => {
    throw new CommandError(`line ${number}: ${error.message}`);
  });
  const content_hash = createHash("sha256").update(Buffer.from(base64, "base64")).digest("hex");
  const origin = { id: file, source: resolve(file), content_hash };
  return JSON.stringify({ ...origin, ...rest, [modality]: base64 });
}
