import { type Rows, rowCount } from "./rows.js";

/**
 * A shuffle that depends only on the rows and the seed, not on the order of the rows: the same set
 * is split into the same parts however it was sorted. Rows are ordered by a hash of their numbers;
 * equal rows are interchangeable.
 *
 * @param sides  N rows each; row i of all sides together are one item.
 * @returns a permutation of 0..N-1.
 */
export function contentOrder(sides: readonly Rows[], seed: number): Uint32Array {
  const count = rowCount(sides[0]);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let high = seed ^ 0x9e3779b9;
    let low = seed ^ 0x85ebca6b;
    for (const { values, dimensions } of sides) {
      const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
      for (let k = i * dimensions; k < (i + 1) * dimensions; k++) {
        const bit = bits[k] === -0x80000000 ? 0 : bits[k]; // -0 is 0
        high = mix(high ^ bit, 0x85ebca6b);
        low = mix(low ^ bit, 0xc2b2ae35);
      }
    }
    keys[i] = (high >>> 11) * 0x1_0000_0000 + (low >>> 0); // 53 bits
  }
  return Uint32Array.from(keys.keys()).sort((one, other) => keys[one] - keys[other] || one - other);
}

/**
 * A step of the finalizer of MurmurHash3 (Appleby, public domain): every bit reaches every other.
 */
function mix(x: number, multiplier: number): number {
  const y = Math.imul(x ^ (x >>> 16), multiplier);
  return y ^ (y >>> 13);
}
