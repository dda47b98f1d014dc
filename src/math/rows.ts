import { invalidInput } from "../errors.js";
import { dot, norm } from "./vector.js";

/** N embeddings of D numbers, [N, D] row-major. */
export interface Rows {
  values: Float32Array;
  /** D */
  dimensions: number;
}

/** N */
export const rowCount = ({ values, dimensions }: Rows): number => values.length / dimensions;

/** Rows from..to-1, [to - from, D]; shares memory. */
export const rowRange = ({ values, dimensions }: Rows, from: number, to: number): Rows => ({
  values: values.subarray(from * dimensions, to * dimensions),
  dimensions,
});

/** Row i, [D]; shares memory. */
export const rowAt = (rows: Rows, i: number): Float32Array => rowRange(rows, i, i + 1).values;

/** Vectors of one length as rows; a copy. */
export function rowsOf(vectors: readonly ArrayLike<number>[]): Rows {
  const dimensions = vectors[0]?.length ?? 0;
  const values = new Float32Array(vectors.length * dimensions);
  for (const [i, vector] of vectors.entries()) values.set(vector, i * dimensions);
  return { values, dimensions };
}

/** Each row as a vector; they share memory. */
export const vectorsOf = (rows: Rows): Float32Array[] =>
  Array.from({ length: rowCount(rows) }, (_, i) => rowAt(rows, i));

/** The rows at some positions, in that order; a copy. */
export function take(rows: Rows, positions: ArrayLike<number>): Rows {
  const { dimensions } = rows;
  const values = new Float32Array(positions.length * dimensions);
  for (let i = 0; i < positions.length; i++) values.set(rowAt(rows, positions[i]), i * dimensions);
  return { values, dimensions };
}

/** All rows of all parts, one part after the other. Parts have the same D. */
export function concat(parts: readonly Rows[]): Rows {
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.values.length, 0));
  let offset = 0;
  for (const part of parts) {
    values.set(part.values, offset);
    offset += part.values.length;
  }
  return { values, dimensions: parts[0].dimensions };
}

/** Arithmetic mean of the rows, [D], in float64; for unit rows it is not of unit length. */
export function meanRow({ values, dimensions }: Rows): Float64Array {
  const mean = new Float64Array(dimensions);
  for (let at = 0; at < values.length; at += dimensions) {
    for (let d = 0; d < dimensions; d++) mean[d] += values[at + d];
  }
  const count = values.length / dimensions;
  for (let d = 0; d < dimensions; d++) mean[d] /= count;
  return mean;
}

/** Row lengths this close to 1 are float32 rounding: such rows are unchanged. */
const lengthTolerance = 1e-5;

/**
 * The gate for embeddings from outside: every row at unit length. If all already are, they are
 * returned unchanged; otherwise all are copied.
 *
 * @param name     the field that holds the rows, for errors.
 * @param options  `paramOf` spells the field of one row; by default the error names the field and
 *   its message the row.
 * @throws AppError `invalid_input` for rows of another size, a number that is not finite, or a row
 *   of zeros, which has no direction.
 */
export function unitRows<T extends Rows>(
  rows: T,
  name: string,
  options: { paramOf?: (row: number) => string } = {},
): T {
  checkFinite(rows, name, options);
  const { dimensions } = rows;
  let { values } = rows;
  for (let i = 0; i < rowCount(rows); i++) {
    const row = rowAt(rows, i);
    // Squares of very small or large float32 numbers still fit float64.
    const length = norm(row);
    if (length === 0) {
      const param = options.paramOf?.(i) ?? name;
      throw invalidInput(param, `Row ${i} of "${name}" is all zeros: it has no direction`);
    }
    if (Math.abs(length - 1) < lengthTolerance) continue;
    if (values === rows.values) values = values.slice();
    for (let d = 0; d < dimensions; d++) values[i * dimensions + d] = row[d] / length;
  }
  return values === rows.values ? rows : { ...rows, values };
}

/**
 * @param options  as of `unitRows`.
 * @throws AppError `invalid_input` for rows of another size or a number that is not finite.
 */
export function checkFinite(
  { values, dimensions }: Rows,
  name: string,
  { paramOf }: { paramOf?: (row: number) => string } = {},
): void {
  if (!(Number.isInteger(dimensions) && dimensions > 0 && values.length % dimensions === 0)) {
    const expected = `Expected rows of ${dimensions} numbers for "${name}"`;
    throw invalidInput(name, `${expected} but received ${values.length} numbers`);
  }
  for (let k = 0; k < values.length; k++) {
    if (Number.isFinite(values[k])) continue;
    const row = Math.floor(k / dimensions);
    if (paramOf === undefined)
      throw invalidInput(name, `"${name}" holds ${values[k]} in row ${row}`);
    const param = paramOf(row);
    throw invalidInput(param, `"${param}" holds a number that is not finite (${values[k]})`);
  }
}

/** Cosines of all unit rows of a [N, D] with all of b [M, D] -> [N, M] row-major, in float32. */
export function cosines(
  a: Rows,
  b: Rows,
  /** Called before each row of a; an error it throws ends the work. */
  beforeRow?: () => void,
): Float32Array {
  const { dimensions } = a;
  const [p, q] = [a.values, b.values];
  const [n, m] = [rowCount(a), rowCount(b)];
  const result = new Float32Array(n * m);
  const unrolled = dimensions - (dimensions % 4);
  for (let i = 0; i < n; i++) {
    beforeRow?.();
    const from = i * dimensions;
    for (let j = 0; j < m; j++) {
      const to = j * dimensions;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let d = 0;
      for (; d < unrolled; d += 4) {
        s0 += p[from + d] * q[to + d];
        s1 += p[from + d + 1] * q[to + d + 1];
        s2 += p[from + d + 2] * q[to + d + 2];
        s3 += p[from + d + 3] * q[to + d + 3];
      }
      for (; d < dimensions; d++) s0 += p[from + d] * q[to + d];
      result[i * m + j] = s0 + s1 + s2 + s3;
    }
  }
  return result;
}

/** a_i . b_i of unit rows, [N], in float64. */
export const pairCosines = (a: Rows, b: Rows): Float64Array =>
  Float64Array.from({ length: rowCount(a) }, (_, i) => dot(rowAt(a, i), rowAt(b, i)));

/** |a_i - b_i|^2 of each pair, [N]; 2 - 2 cos for unit rows, and never below 0. */
export function squaredDistances(a: Rows, b: Rows): Float64Array {
  const { dimensions } = a;
  const result = new Float64Array(rowCount(a));
  for (let k = 0; k < a.values.length; k++)
    result[Math.floor(k / dimensions)] += (a.values[k] - b.values[k]) ** 2;
  return result;
}

/**
 * Mean |x_i - mean|^2, the variance summed over dimensions: 0 exactly when all rows are the same.
 */
export function spread(rows: Rows): number {
  const mean = meanRow(rows);
  const { values, dimensions } = rows;
  let sum = 0;
  for (let at = 0; at < values.length; at += dimensions) {
    for (let d = 0; d < dimensions; d++) sum += (values[at + d] - mean[d]) ** 2;
  }
  return sum / rowCount(rows);
}

/** Whether all unit rows are one point, up to float32 rounding: 1e-7 a number, squared. */
export const areAlike = (rows: Rows): boolean => spread(rows) < 1e-12;

/** How many different rows there are, bit by bit. */
export function distinctRows(rows: Rows): number {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
  return new Set(vectorsOf(rows).map(bytes)).size;
}
