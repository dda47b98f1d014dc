import type { Embedding } from "../../encoders/encoder.js";
import { invalidInput } from "../../errors.js";
import { readBody } from "../read-body.js";
import { parseHeld } from "../read-json.js";
import type { ForeignContext } from "./shape.js";

/**
 * A JSON body followed by raw tensors; the header gives the length of the JSON, by default the
 * whole body.
 */
export async function splitBinary(
  c: ForeignContext,
): Promise<{ json: unknown; binary: Uint8Array }> {
  const body = await readBody(c);
  const header = c.req.header("inference-header-content-length");
  if (header === undefined) return { json: await parseHeld(c, body), binary: new Uint8Array(0) };
  const length = Number(header);
  if (!/^\d+$/.test(header) || length > body.length) {
    const message =
      `Expected at most ${body.length}, the length of the body, but received ` +
      `"${header.slice(0, 40)}"`;
    throw invalidInput("inference-header-content-length", message);
  }
  return { json: await parseHeld(c, body.subarray(0, length)), binary: body.subarray(length) };
}

/** Elements of a BYTES tensor: each 4 bytes of length, little-endian, and so many bytes. */
export function bytesElements(
  binary: Uint8Array,
  from: number,
  size: unknown,
  where: string,
): Uint8Array[] {
  const param = `${where}.parameters.binary_data_size`;
  if (!Number.isInteger(size) || (size as number) < 0 || from + (size as number) > binary.length) {
    const message =
      `Expected at most ${binary.length - from}, the bytes after the JSON, but received ` +
      `${String(size).slice(0, 40)}`;
    throw invalidInput(param, message);
  }
  const end = from + (size as number);
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = from; at < end; ) {
    const length = at + 4 <= end ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + 4 + length > end) throw invalidInput(param, "An element is longer than its tensor");
    elements.push(binary.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return elements;
}

/** [n, d] float32, little-endian. */
export function joinRows(embeddings: readonly Embedding[]): Buffer {
  return Buffer.concat(
    embeddings.map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    ),
  );
}
