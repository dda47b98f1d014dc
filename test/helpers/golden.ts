import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

/** Values of the Python reference; fixtures/golden/README.md says how they were made. */
const folder = fileURLToPath(new URL("../../fixtures/golden/", import.meta.url));

export const goldenPath = (path: string) => folder + path;
export const goldenBytes = (path: string) => new Uint8Array(readFileSync(folder + path));
export const goldenJson = <T>(path: string): T =>
  JSON.parse(readFileSync(folder + path, "utf8")) as T;

/** A log-mel file: gzipped int16 multiples of 1/256 dB. */
export function goldenMel(path: string): Float32Array {
  const raw = gunzipSync(readFileSync(folder + path));
  const values = new Int16Array(raw.buffer, raw.byteOffset, raw.byteLength / 2);
  return Float32Array.from(values, (value) => value / 256);
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} numbers against ${b.length}`);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / Math.sqrt(aa * bb);
}
