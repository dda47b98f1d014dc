import { z } from "zod";
import { AppError } from "../errors.js";

/** float32 arrays by name, with text metadata. */
export interface SafeTensors {
  tensors: Record<string, { shape: readonly number[]; data: Float32Array }>;
  metadata: Record<string, string>;
}

/** The JSON header, at most: names and shapes of a head's few arrays, and its report. */
const maxHeaderBytes = 32 * 2 ** 20;

const Entry = z.object({
  dtype: z.literal("F32"),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const Header = z
  .object({ __metadata__: z.record(z.string(), z.string()).optional() })
  .catchall(Entry);

/**
 * Reads a safetensors file of float32 arrays: 8 bytes little-endian length of a JSON header, the
 * header, then the data. Source: https://huggingface.co/docs/safetensors, "Format".
 * @throws AppError `model_corrupt` when a length or an offset points outside the bytes, or an array
 *   is not finite float32.
 */
export function readSafetensors(bytes: Uint8Array): SafeTensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength =
    bytes.length < 8 ? Number.POSITIVE_INFINITY : Number(view.getBigUint64(0, true));
  const start = 8 + headerLength;
  if (start > bytes.length) throw corrupt("it is cut short");
  if (headerLength > maxHeaderBytes)
    throw corrupt(`its header has ${headerLength} bytes; expected at most ${maxHeaderBytes}`);
  let json: unknown;
  try {
    json = JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset + 8, headerLength).toString("utf8"),
    );
  } catch (error) {
    throw corrupt("its header is not JSON", error);
  }
  const header = Header.safeParse(json);
  if (!header.success) throw corrupt("its header does not describe float32 arrays", header.error);
  const { __metadata__: metadata = {}, ...entries } = header.data;
  const tensors: SafeTensors["tensors"] = {};
  let left = bytes.length - start; // arrays that share bytes would take more memory than the file
  for (const [name, entry] of Object.entries(entries)) {
    const { shape, data_offsets: offsets } = entry as z.infer<typeof Entry>;
    const count = shape.reduce((product, side) => product * side, 1);
    const [from, to] = offsets;
    if (to - from !== 4 * count || start + to > bytes.length)
      throw corrupt(`"${name}" lies outside it`);
    left -= to - from;
    if (left < 0) throw corrupt(`"${name}" shares bytes with another array`);
    const data = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      data[i] = view.getFloat32(start + from + 4 * i, true);
      if (!Number.isFinite(data[i])) throw corrupt(`"${name}" holds ${data[i]}`);
    }
    tensors[name] = { shape, data };
  }
  return { tensors, metadata };
}

/** @throws RangeError for numbers that could not be read again. */
export function writeSafetensors({ tensors, metadata }: SafeTensors): Uint8Array {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  let json = JSON.stringify(header);
  // The data starts at a multiple of eight
  json += " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8);
  const head = Buffer.from(json);
  const bytes = new Uint8Array(8 + head.length + offset);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  let position = 8 + head.length;
  for (const [name, { data }] of Object.entries(tensors)) {
    for (const value of data) {
      if (!Number.isFinite(value)) throw new RangeError(`"${name}" holds ${value}`);
      view.setFloat32(position, value, true);
      position += 4;
    }
  }
  return bytes;
}

const corrupt = (why: string, cause?: unknown) =>
  new AppError("model_corrupt", `The safetensors file cannot be read: ${why}`, { cause });
