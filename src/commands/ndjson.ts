import { CommandError } from "./target.js";

/** Bytes after which a line without an end is refused as not being NDJSON. */
const maxLineBytes = 512 * 2 ** 20;

/** Cuts a stream into pieces that end with a line. A last line without an end is given one. */
export async function* wholeLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(10) + 1;
    if (end > 0) {
      yield rest.length === 0
        ? chunk.subarray(0, end)
        : Buffer.concat([...rest, chunk.subarray(0, end)]);
      rest = [];
      size = 0;
    }
    if (end < chunk.length) {
      rest.push(chunk.subarray(end));
      size += chunk.length - end;
      if (size > maxLineBytes)
        throw new CommandError(`A line has more than ${maxLineBytes} bytes; expected NDJSON`);
    }
  }
  if (rest.length > 0) yield Buffer.concat([...rest, Buffer.from("\n")]);
}

/** The lines of a stream that are not empty. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const piece of wholeLines(chunks)) {
    for (const line of Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      .toString("utf8")
      .split("\n")) {
      if (line.trim() !== "") yield line;
    }
  }
}
