/**
 * pgvector's binary form: the number of dimensions (int16), 0 (int16) and the numbers (float32),
 * big-endian. `pg` sends a Buffer as a binary parameter; a third of the bytes of text, and exact.
 */
export function vectorBytes(vector: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(4 + 4 * vector.length);
  writeVector(bytes, 0, vector);
  return bytes;
}

export function floatsOf(bytes: Buffer): Float32Array {
  const vector = new Float32Array(bytes.readUInt16BE(0));
  for (let i = 0; i < vector.length; i++) vector[i] = bytes.readFloatBE(4 + 4 * i);
  return vector;
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

function writeVector(bytes: Buffer, at: number, vector: Float32Array): number {
  let next = bytes.writeUInt16BE(vector.length, at);
  next = bytes.writeUInt16BE(0, next);
  for (const value of vector) next = bytes.writeFloatBE(value, next);
  return next;
}
