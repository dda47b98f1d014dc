import { ditherOf, largestSize, largestValue, quantizeInto } from "./quantize.js";
import { rotate } from "./rotate.js";

/** Vectors of consecutive positions in 8 bits, in a buffer of their own that begins with the first. */
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
/** Numbers that are turned and rounded at a time: 1,024 rows of 512 dimensions, some 4 ms. */
const sliceValues = 1 << 19;
/** Room above the largest number: a larger one that comes later makes the copy of its piece anew. */
const headroom = 1.2;

/** The 8-bit copy of a growing table of float32 blocks (vector-table.ts), all vectors turned by the same rotation (rotate.ts). */
export class QuantizedCopy {
  readonly #dimensions: number;
  readonly #pieceRows: number;
  readonly #sliceRows: number;
  readonly #pieces: QuantizedPiece[] = [];

  /** @param pieceRows  a multiple of `stepRows`. */
  constructor(dimensions: number, pieceRows = stepsOf(pieceValues, dimensions)) {
    this.#dimensions = dimensions;
    this.#pieceRows = pieceRows;
    this.#sliceRows = stepsOf(sliceValues, dimensions);
  }

  /** The pieces there are; they may end before the table does. */
  get pieces(): readonly QuantizedPiece[] {
    return this.#pieces;
  }

  /** Whether a table of `length` rows holds a step that is not copied. */
  isBehind(length: number): boolean {
    return this.#end < length - (length % stepRows);
  }

  /** Copies the next rows of `length`: some 4 ms of work. */
  extend(length: number, rowsOf: (first: number, end: number) => Iterable<Float32Array>): void {
    const first = this.#end;
    let piece = this.#pieces.at(-1);
    if (piece === undefined || piece.rows === this.#pieceRows) {
      piece = { first, rows: 0, values: new Int8Array(0), scale: Number.MAX_VALUE };
      this.#pieces.push(piece);
    }
    const end = Math.min(
      length - (length % stepRows),
      first + this.#sliceRows,
      piece.first + this.#pieceRows,
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
        return;
      }
    }
    if (rows * this.#dimensions > piece.values.length) {
      const room = Math.min(this.#pieceRows, Math.max(rows, 2 * piece.rows));
      const grown = new Int8Array(room * this.#dimensions);
      grown.set(piece.values);
      piece.values = grown;
    }
    const to = piece.values.subarray(piece.rows * this.#dimensions);
    quantizeInto(to, vectors, piece.scale, ditherOf(this.#dimensions).item);
    piece.rows = rows;
  }
}

/** Whole steps of rows that hold about so many numbers. */
function stepsOf(values: number, dimensions: number): number {
  return Math.max(1, Math.floor(values / dimensions / stepRows)) * stepRows;
}
