import { modalities } from "../../modalities.js";
import { nearestInBlock } from "../../quantized/nearest-in-block.js";
import { rotate } from "../../quantized/rotate.js";
import { BitPiece, maxPieceRows, scaleFor } from "./bit-piece.js";
import { type Nomination, type NominationQuery, QueryScan } from "./query-scan.js";

/** A row besides its vector: its number, here and in a map, and its modality. */
const bytesPerRow = 56;

/** Memory of a copy. */
export const copyBytes = (rows: number, dimensions: number): number =>
  rows * (dimensions + bytesPerRow);

/**
 * The vectors of a collection in 8 bits, rotated and rounded as those of the embedded driver
 * (decision 26), without their originals: it nominates, and the database decides.
 */
export class BitCopy {
  readonly #dimensions: number;
  readonly #pieceRows: number;
  #pieces: BitPiece[] = [];

  constructor(dimensions: number, pieceRows = maxPieceRows(dimensions)) {
    this.#dimensions = dimensions;
    this.#pieceRows = pieceRows;
  }

  get rows(): number {
    return this.#pieces.reduce((sum, { live }) => sum + live, 0);
  }

  /** Rows of each modality. */
  get counts(): number[] {
    return modalities.map((_, modality) =>
      this.#pieces.reduce((sum, { counts }) => sum + counts[modality], 0),
    );
  }

  /** @param vectors  [N, dimensions]; are changed. */
  put(seqs: readonly number[], ofModalities: readonly number[], vectors: Float32Array): void {
    this.remove(seqs);
    const d = this.#dimensions;
    for (let at = 0; at < vectors.length; at += d) rotate(vectors.subarray(at, at + d));
    for (let from = 0; from < seqs.length; ) {
      const rest = vectors.subarray(from * d);
      const piece = this.#openPiece(rest);
      const end = Math.min(seqs.length, from + this.#pieceRows - piece.rows);
      const some = { seqs: seqs.slice(from, end), modalities: ofModalities.slice(from, end) };
      piece.add(some, rest.subarray(0, (end - from) * d));
      from = end;
    }
  }

  remove(seqs: readonly number[]): void {
    for (const seq of seqs) this.#pieces.find((piece) => piece.remove(seq));
    this.#pieces = this.#pieces.filter(({ live }) => live > 0);
    for (const piece of this.#pieces) piece.pack();
  }

  /**
   * By 8 bits, with the room for error that six standard deviations take.
   * @returns undefined for a query that so much would be nominated for that a scan costs less.
   */
  nominate(queries: readonly NominationQuery[]): (Nomination | undefined)[] {
    const d = this.#dimensions;
    const scans = queries.map((query) => new QueryScan(query));
    const packed = new Int8Array(queries.length * d);
    for (const [i, { values }] of scans.entries()) packed.set(values, i * d);
    const wanted = Math.max(...queries.map(({ k }) => k)) + 48;
    for (const piece of this.#pieces) {
      const nearest = nearestInBlock(piece.vectors, packed, d, Math.min(wanted, piece.rows));
      for (const [i, scan] of scans.entries()) scan.take(piece, nearest[i]);
    }
    return scans.map((scan) => scan.finish());
  }

  /** The last piece, or another one where it is full or its scale cannot hold these. */
  #openPiece(vectors: Float32Array): BitPiece {
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.rows < this.#pieceRows && last.holds(vectors)) return last;
    const piece = new BitPiece(this.#dimensions, this.#pieceRows, scaleFor(vectors));
    this.#pieces.push(piece);
    return piece;
  }
}
