import { floatsOf } from "../vector-bytes.js";

/** Rows of (seq, modality, embedding), as COPY writes them. */
export interface CopiedRows {
  seqs: number[];
  modalities: number[];
  /** [N, dimensions] */
  vectors: Float32Array;
}

/** Signature, flags and the length of an extension, of which there is none. */
const headerBytes = 19;
const trailerBytes = 2;
const rowBytesOf = (dimensions: number) => 2 + (4 + 8) + (4 + 2) + (4 + 4 + 4 * dimensions);
/** In a row. */
const seqAt = 6;

/** Which is read before the rows themselves; undefined where there are none. */
export function lastCopiedSeq(bytes: Uint8Array, dimensions: number): number | undefined {
  const at = bytes.byteLength - trailerBytes - rowBytesOf(dimensions);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return at < headerBytes ? undefined : Number(view.getBigInt64(at + seqAt));
}

/**
 * Reads the whole output of a COPY … (FORMAT binary) of int8, int2 and vector: for each row the
 * number of fields (int16), each field with its length (int32), all big-endian; -1 in place of a
 * number of fields ends it.
 */
export function readCopiedRows(bytes: Uint8Array, dimensions: number): CopiedRows {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rowBytes = rowBytesOf(dimensions);
  const count = (bytes.byteLength - headerBytes - trailerBytes) / rowBytes;
  if (!Number.isInteger(count)) throw new RangeError("COPY gave rows of another size");
  const seqs: number[] = [];
  const modalities: number[] = [];
  const vectors = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) {
    const at = headerBytes + row * rowBytes;
    seqs.push(Number(view.getBigInt64(at + seqAt)));
    modalities.push(view.getInt16(at + 18));
    const embedding = bytes.subarray(at + 24, at + rowBytes);
    vectors.set(floatsOf(embedding), row * dimensions);
  }
  return { seqs, modalities, vectors };
}
