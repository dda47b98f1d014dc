import { seededRandom } from "../../math/random.js";

/** Signs by number of dimensions, the same in every process. */
const signs = new Map<number, Float32Array>();

/**
 * Rotates a vector by a fixed orthogonal matrix, in place: dot products stay, but large numbers are
 * spread over many. CLIP's embeddings have two numbers of .55 among 510 near .03; 8 bits can
 * represent all of them only when spread.
 *
 * A random sign for each number, then the Walsh-Hadamard transform of the first 2^k of them; where
 * these are not all, once more with the last 2^k. Source: Ailon and Chazelle 2009, the fast
 * Johnson-Lindenstrauss transform.
 */
export function rotate(vector: Float32Array): void {
  const n = vector.length;
  let ofLength = signs.get(n);
  if (ofLength === undefined) {
    const random = seededRandom(n);
    ofLength = Float32Array.from({ length: n }, () => (random.integer(2) === 0 ? -1 : 1));
    signs.set(n, ofLength);
  }
  const power = 2 ** Math.floor(Math.log2(n));
  for (let i = 0; i < n; i++) vector[i] *= ofLength[i];
  walshHadamard(vector, 0, power);
  if (power === n) return;
  for (let i = 0; i < n; i++) vector[i] *= ofLength[n - 1 - i];
  walshHadamard(vector, n - power, power);
}

function walshHadamard(vector: Float32Array, first: number, length: number): void {
  const end = first + length;
  const norm = 1 / Math.sqrt(length);
  let arm = 1;
  // Two rounds at once: half as many passes through memory.
  for (; 4 * arm <= length; arm *= 4) {
    for (let start = first; start < end; start += 4 * arm) {
      for (let a = start; a < start + arm; a++) {
        const b = a + arm;
        const c = b + arm;
        const d = c + arm;
        const ab = vector[a] + vector[b];
        const aMinusB = vector[a] - vector[b];
        const cd = vector[c] + vector[d];
        const cMinusD = vector[c] - vector[d];
        vector[a] = ab + cd;
        vector[b] = aMinusB + cMinusD;
        vector[c] = ab - cd;
        vector[d] = aMinusB - cMinusD;
      }
    }
  }
  if (arm < length) {
    for (let a = first; a < first + arm; a++) {
      const x = vector[a];
      const y = vector[a + arm];
      vector[a] = x + y;
      vector[a + arm] = x - y;
    }
  }
  for (let i = first; i < end; i++) vector[i] *= norm;
}
