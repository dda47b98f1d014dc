import { ditherOf, largestSize, largestValue, quantizeInto } from "../quantized/quantize.js";
import { rotate } from "../quantized/rotate.js";

/**
 * Vectors of consecutive positions in 8 bits, in one buffer that starts with the first.
 */
export interface QuantizedPiece {
  /** Position of the first. */
  first: number;
  rows: number;
  /** round(rotated vectors * scale + dither) (quantize.ts); at least `rows` of them. */
  values: Int8Array;
  scale: number;
}

/** 32 MB: 65,536 rows of 512 dimensions. Each piece costs a call, and has one scale. */
const pieceValues = 1 << 25;
/** The rows behind the last whole step are not copied yet: a search compares with each of them. */
const stepRows = 64;
/** Numbers rotated and rounded at a time: 256 rows of 512 dimensions, 1 to 2 ms. */
const sliceValues = 1 << 17;
/**
 * Headroom above the largest number: a larger one that arrives later forces a new copy of its
 * piece.
 */
const headroom = 1.2;
/** A piece with less than this share of its rows left is copied again, with those after it. */
const sparseShare = 0.25;

/**
 * The 8-bit copy of a growing table of float32 blocks (vector-table.ts), all vectors rotated the
 * same way (rotate.ts).
 */
export class QuantizedCopy {
  readonly #dimensions: number;
  readonly pieceRows: number;
  readonly #sliceRows: number;
  readonly #pieces: QuantizedPiece[] = [];

  /** @param pieceRows  a multiple of `stepRows`. */
  constructor(dimensions: number, pieceRows = stepsOf(pieceValues, dimensions)) {
    this.#dimensions = dimensions;
    this.pieceRows = pieceRows;
    this.#sliceRows = stepsOf(sliceValues, dimensions);
  }

  /**
   * Takes over pieces that follow each other, without what has been removed since they were made:
   * a step for each piece.
   *
   * @param pieces  their values are kept and not changed.
   * @param kept  by piece, which of its rows still exist.
   * @param newRow  the new position of a row. A copy whose pieces disagree with it is left empty.
   */
  *taken(
    pieces: readonly Omit<QuantizedPiece, "first">[],
    kept: readonly Uint8Array[],
    newRow: (position: number) => Float32Array,
  ): Generator<void> {
    this.#pieces.length = 0;
    for (const [i, { rows, values, scale }] of pieces.entries()) {
      const isKept = kept[i];
      const left = isKept.reduce((sum, flag) => sum + flag, 0);
      if (left === 0) continue;
      const isLast = i === pieces.length - 1;
      if (!isLast && left < sparseShare * this.pieceRows) return;
      const keptValues = left === rows ? values : picked(values, isKept, left, this.#dimensions);
      const piece = { first: this.#end, rows: left, values: keptValues, scale };
      if (!this.#agrees(piece, newRow(piece.first))) {
        this.#pieces.length = 0;
        return;
      }
      this.#pieces.push(piece);
      yield;
    }
  }

  /**
   * Whether the first row of a piece matches its vector: a copy made by other rules, or of other
   * rows, is useless.
   */
  #agrees({ values, scale }: QuantizedPiece, vector: Float32Array): boolean {
    const turned = vector.slice();
    rotate(turned);
    const expected = new Int8Array(this.#dimensions);
    quantizeInto(expected, turned, scale, ditherOf(this.#dimensions).item);
    return expected.every((value, i) => value === values[i]);
  }

  /** The existing pieces; they may end before the table does. */
  get pieces(): readonly QuantizedPiece[] {
    return this.#pieces;
  }

  /** Whether a table of `length` rows has a step that is not copied. */
  isBehind(length: number): boolean {
    return this.#end < length - (length % stepRows);
  }

  /** Rows that are copied. */
  get rows(): number {
    return this.#end;
  }

  /** Copies the next rows of `length`: a millisecond or two of work. */
  extend(length: number, rowsOf: (first: number, end: number) => Iterable<Float32Array>): void {
    const first = this.#end;
    let piece = this.#pieces.at(-1);
    if (piece === undefined || piece.rows === this.pieceRows) {
      piece = { first, rows: 0, values: new Int8Array(0), scale: Number.MAX_VALUE };
      this.#pieces.push(piece);
    }
    const end = Math.min(
      length - (length % stepRows),
      first + this.#sliceRows,
      piece.first + this.pieceRows,
    );
    this.#append(piece, end - piece.first, this.#rotated(end - first, rowsOf(first, end)));
  }

  get #end(): number {
    const last = this.#pieces.at(-1);
    return last === undefined ? 0 : last.first + last.rows;
  }

  #rotated(rows: number, parts: Iterable<Float32Array>): Float32Array {
    const rotated = new Float32Array(rows * this.#dimensions);
    let at = 0;
    for (const part of parts) {
      rotated.set(part, at);
      at += part.length;
    }
    for (let row = 0; row < rows; row++)
      rotate(rotated.subarray(row * this.#dimensions, (row + 1) * this.#dimensions));
    return rotated;
  }

  #append(piece: QuantizedPiece, rows: number, vectors: Float32Array): void {
    const largest = largestSize(vectors);
    if (largest * piece.scale > largestValue) {
      piece.scale = largestValue / (headroom * largest);
      if (piece.rows > 0) {
        piece.rows = 0; // from its first row again
        piece.values = new Int8Array(0); // the old ones may be being written to disk
        return;
      }
    }
    if (rows * this.#dimensions > piece.values.length) {
      const room = Math.min(this.pieceRows, Math.max(rows, 2 * piece.rows));
      const grown = new Int8Array(room * this.#dimensions);
      grown.set(piece.values);
      piece.values = grown;
    }
    const to = piece.values.subarray(piece.rows * this.#dimensions);
    quantizeInto(to, vectors, piece.scale, ditherOf(this.#dimensions).item);
    piece.rows = rows;
  }
}

/** The existing rows of a piece, as runs. */
function picked(
  values: Int8Array,
  isKept: Uint8Array,
  count: number,
  dimensions: number,
): Int8Array {
  const result = new Int8Array(count * dimensions);
  let to = 0;
  for (let start = isKept.indexOf(1); start !== -1; ) {
    const gap = isKept.indexOf(0, start);
    const end = gap === -1 ? isKept.length : gap;
    result.set(values.subarray(start * dimensions, end * dimensions), to);
    to += (end - start) * dimensions;
    start = gap === -1 ? -1 : isKept.indexOf(1, gap);
  }
  return result;
}

/** Whole steps of rows with about this many numbers. */
function stepsOf(values: number, dimensions: number): number {
  return Math.max(1, Math.floor(values / dimensions / stepRows)) * stepRows;
}
