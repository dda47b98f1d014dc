import { AppError } from "../errors.js";

/** float32 arrays by name, with text metadata. */
export interface SafeTensors {
  tensors: Record<string, { shape: readonly number[]; data: Float32Array }>;
  metadata: Record<string, string>;
}

/**
 * Reads a safetensors file of float32 arrays: 8 bytes little-endian length of a JSON header, the header, then the data.
 * Source: https://huggingface.co/docs/safetensors, "Format".
 * @throws AppError `model_corrupt` when a length or an offset points outside the bytes, or an array is not finite float32.
 */
export function readSafetensors(bytes: Uint8Array): SafeTensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = bytes.length < 8 ? Number.POSITIVE_INFINITY : Number(view.getBigUint64(0, true));
  const start = 8 + headerLength;
  if (start > bytes.length) throw corrupt("it is cut short");
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + 8, headerLength).toString("utf8"));
  } catch (error) {
    throw corrupt("its header is not JSON", error);
  }
  const tensors: SafeTensors["tensors"] = {};
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      metadata = value as Record<string, string>;
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = value as { dtype: string; shape: number[]; data_offsets: number[] };
    if (dtype !== "F32") throw corrupt(`"${name}" is ${dtype}, not F32`);
    const count = Array.isArray(shape) ? shape.reduce((product, side) => product * side, 1) : Number.NaN;
    const [from, to] = Array.isArray(offsets) ? offsets : [Number.NaN, Number.NaN];
    if (!(from >= 0 && to - from === 4 * count && start + to <= bytes.length))
      throw corrupt(`"${name}" lies outside it`);
    const data = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      data[i] = view.getFloat32(start + from + 4 * i, true);
      if (!Number.isFinite(data[i])) throw corrupt(`"${name}" holds ${data[i]}`);
    }
    tensors[name] = { shape, data };
  }
  return { tensors, metadata };
}

export function writeSafetensors({ tensors, metadata }: SafeTensors): Uint8Array {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  let json = JSON.stringify(header);
  json += " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8); // the data starts at a multiple of eight
  const head = Buffer.from(json);
  const bytes = new Uint8Array(8 + head.length + offset);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  let position = 8 + head.length;
  for (const { data } of Object.values(tensors)) {
    for (const value of data) {
      view.setFloat32(position, value, true);
      position += 4;
    }
  }
  return bytes;
}

const corrupt = (why: string, cause?: unknown) =>
  new AppError("model_corrupt", `The safetensors file cannot be read: ${why}`, { cause });
