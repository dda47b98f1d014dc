import { largestSize, quantizeInto } from "./quantize.js";

/** Vectors of consecutive positions in 8 bits, in a buffer of their own that begins with the first. */
export interface QuantizedPiece {
  /** Position of the first. */
  first: number;
  rows: number;
  /** round(vectors * scale), in [-127, 127]; at least `rows` of them. */
  values: Int8Array;
  scale: number;
}

/** 32 MB: 65,536 rows of 512 dimensions. Each piece costs a call, and has one scale. */
const pieceValues = 1 << 25;
/** The rows behind the last whole step are not copied yet: a search compares with each of them. */
const stepRows = 64;
/** Room above the largest number: a larger one that comes later makes the copy of its piece anew. */
const headroom = 1.05;

/** The 8-bit copy of a growing table of float32 blocks (vector-table.ts). */
export class QuantizedCopy {
  readonly #dimensions: number;
  readonly #pieceRows: number;
  readonly #pieces: QuantizedPiece[] = [];

  /** @param pieceRows  a multiple of `stepRows`. */
  constructor(dimensions: number, pieceRows = Math.max(1, Math.floor(pieceValues / dimensions / stepRows)) * stepRows) {
    this.#dimensions = dimensions;
    this.#pieceRows = pieceRows;
  }

  /** Brings the copy up to the last whole step of `length` rows (some 2 ms for 1,000 new rows of 512 dimensions). */
  upTo(length: number, rowsOf: (first: number, end: number) => Iterable<Float32Array>): readonly QuantizedPiece[] {
    const end = length - (length % stepRows);
    for (;;) {
      const last = this.#pieces.at(-1);
      const done = last === undefined ? 0 : last.first + last.rows;
      if (done === end) return this.#pieces;
      const isFull = last === undefined || last.rows === this.#pieceRows;
      const piece = isFull ? { first: done, rows: 0, values: new Int8Array(0), scale: 1 } : last;
      if (isFull) this.#pieces.push(piece);
      this.#extend(piece, Math.min(end, piece.first + this.#pieceRows), rowsOf);
    }
  }

  #extend(piece: QuantizedPiece, end: number, rowsOf: (first: number, end: number) => Iterable<Float32Array>): void {
    const rows = end - piece.first;
    if (rows * this.#dimensions > piece.values.length) {
      const room = Math.min(this.#pieceRows, Math.max(rows, 2 * piece.rows));
      const grown = new Int8Array(room * this.#dimensions);
      grown.set(piece.values);
      piece.values = grown;
    }
    let from = piece.first + piece.rows;
    let largest = 0;
    for (const vectors of rowsOf(from, end)) largest = Math.max(largest, largestSize(vectors));
    if (piece.rows === 0 || largest * piece.scale > 127) {
      piece.scale = 127 / (headroom * (largest || 1));
      from = piece.first;
    }
    let at = (from - piece.first) * this.#dimensions;
    for (const vectors of rowsOf(from, end)) {
      quantizeInto(piece.values.subarray(at, at + vectors.length), vectors, piece.scale);
      at += vectors.length;
    }
    piece.rows = rows;
  }
}
