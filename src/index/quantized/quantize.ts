import { seededRandom } from "../../math/random.js";

/** The largest absolute value. */
export function largestSize(vectors: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < vectors.length; i++) {
    const size = Math.abs(vectors[i]);
    if (size > largest) largest = size;
  }
  return largest;
}

/**
 * The largest number in 8 bits: with half a step of dither it is still 127.
 */
export const largestValue = 126.5;

/**
 * The dither added to each number before rounding, in steps: for items (subtracted from their dot
 * products again) and for queries.
 */
interface Dither {
  item: Float32Array;
  query: Float32Array;
}

const dithers = new Map<number, Dither>();

/**
 * Uniform in [-.5, .5), always the same. Without it equal numbers have equal errors: a vector of
 * few equal weights (tags, words) comes out longer or shorter by more than the margin below, and is
 * missed. Source: subtractive dither, Schuchman 1964, "Dither signals and their effect on
 * quantization noise".
 */
export function ditherOf(dimensions: number): Dither {
  let dither = dithers.get(dimensions);
  if (dither === undefined) {
    const random = seededRandom(dimensions);
    const some = () => Float32Array.from({ length: dimensions }, () => random.uniform() - 0.5);
    dither = { item: some(), query: some() };
    dithers.set(dimensions, dither);
  }
  return dither;
}

/**
 * round(vectors * scale + dither), where vectors * scale must lie in [-126.5, 126.5].
 * @param vectors  [N, dimensions].
 * @param dither  [dimensions].
 */
export function quantizeInto(
  values: Int8Array,
  vectors: Float32Array,
  scale: number,
  dither: Float32Array,
): void {
  const dimensions = dither.length;
  for (let start = 0; start < vectors.length; start += dimensions) {
    // Math.round inlined, since the call takes most of the time: positive numbers are truncated.
    for (let i = 0; i < dimensions; i++) {
      values[start + i] = ((vectors[start + i] * scale + dither[i] + 128.5) | 0) - 128;
    }
  }
}

/**
 * A query in 8 bits.
 * @returns `shift`: what the items' dither adds to its dot products with them.
 */
export function quantizeQuery(vector: Float32Array): {
  values: Int8Array;
  scale: number;
  shift: number;
} {
  const scale = largestValue / (largestSize(vector) || 1);
  const values = new Int8Array(vector.length);
  const dither = ditherOf(vector.length);
  quantizeInto(values, vector, scale, dither.query);
  const shift = values.reduce((sum, value, i) => sum + value * dither.item[i], 0);
  return { values, scale, shift };
}

/**
 * Error bound of the dot product of an item's and a query's unit vector in 8 bits: six standard
 * deviations of the sum of both rounding errors. An item's has the variance step^2 / 12 in every
 * direction, whatever its numbers, since its dither is subtracted; a query's, whose dither is not,
 * at most step^2 / 4. A step is 1 / scale.
 */
export function quantizationMargin(itemScale: number, queryScale: number): number {
  return 6 * Math.sqrt(itemScale ** -2 / 12 + queryScale ** -2 / 4);
}
