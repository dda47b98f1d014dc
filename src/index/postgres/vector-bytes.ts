// Numbers are swapped in place: Node runs on little-endian machines only.

/**
 * pgvector's binary form: the number of dimensions (int16), 0 (int16) and the numbers (float32),
 * big-endian. `pg` sends a Buffer as a binary parameter; a third of the bytes of text, and exact.
 */
export function vectorBytes(vector: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(4 + vector.byteLength);
  bytes.writeUInt16BE(vector.length);
  bytes.writeUInt16BE(0, 2);
  const numbers = bytes.subarray(4);
  numbers.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  numbers.swap32(); // a tenth of the time of writing each
  return bytes;
}

export function floatsOf(bytes: Uint8Array): Float32Array {
  const numbers = new Uint8Array(bytes.length - 4);
  numbers.set(bytes.subarray(4));
  Buffer.from(numbers.buffer).swap32();
  return new Float32Array(numbers.buffer);
}

/**
 * Values as one binary parameter that is an array, undefined for NULL: a third of the bytes of text
 * for vectors (array_recv in PostgreSQL's arrayfuncs.c: dimensions, whether there
 * are nulls, the elements' type, then each dimension's length and lower bound, then each element
 * with its length).
 * @param type  oid of the elements' type in this database.
 */
export function arrayBytes(elements: readonly (Uint8Array | undefined)[], type: number): Buffer {
  let size = 20;
  for (const element of elements) size += 4 + (element?.length ?? 0);
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeInt32BE(1, 0);
  at = bytes.writeInt32BE(elements.includes(undefined) ? 1 : 0, at);
  at = bytes.writeUInt32BE(type, at);
  at = bytes.writeInt32BE(elements.length, at);
  at = bytes.writeInt32BE(1, at);
  for (const element of elements) {
    at = bytes.writeInt32BE(element === undefined ? -1 : element.length, at);
    if (element === undefined) continue;
    bytes.set(element, at);
    at += element.length;
  }
  return bytes;
}
