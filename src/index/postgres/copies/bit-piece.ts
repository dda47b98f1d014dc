import { modalities as allModalities } from "../../modalities.js";
import { ditherOf, largestSize, largestValue, quantizeInto } from "../../quantized/quantize.js";

/** 32 MB: 65,536 rows of 512 dimensions. Each piece costs a call, and has one scale. */
const pieceValues = 1 << 25;
/** Room above the largest number for larger ones, which otherwise begin another piece. */
const headroom = 1.2;
/** Share of removed rows from which a piece is packed. */
const goneShare = 0.25;
/** Stands in the place of a removed row. */
const gone = 0;

export const maxPieceRows = (dimensions: number): number =>
  Math.max(64, Math.floor(pieceValues / dimensions));

/** By which numbers are multiplied, so that the largest of these fits with room. */
export const scaleFor = (vectors: Float32Array): number =>
  largestValue / (headroom * (largestSize(vectors) || 1));

/** Rotated vectors in 8 bits with one scale, and the numbers of their rows. */
export class BitPiece {
  readonly dimensions: number;
  readonly scale: number;
  /** Live rows of each modality. */
  readonly counts: number[] = allModalities.map(() => 0);
  readonly #maxRows: number;
  #values = new Int8Array(0);
  #seqs: number[] = [];
  #modalities: number[] = [];
  #places = new Map<number, number>();

  constructor(dimensions: number, maxRows: number, scale: number) {
    this.dimensions = dimensions;
    this.#maxRows = maxRows;
    this.scale = scale;
  }

  get live(): number {
    return this.#places.size;
  }

  /** Places in use, removed rows included. */
  get rows(): number {
    return this.#seqs.length;
  }

  /** [rows, dimensions] */
  get vectors(): Int8Array {
    return this.#values.subarray(0, this.rows * this.dimensions);
  }

  holds(vectors: Float32Array): boolean {
    return largestSize(vectors) * this.scale <= largestValue;
  }

  isLive(place: number): boolean {
    return this.#seqs[place] !== gone;
  }

  seqAt(place: number): number {
    return this.#seqs[place];
  }

  modalityAt(place: number): number {
    return this.#modalities[place];
  }

  /** @param vectors  rotated, [N, dimensions]. */
  add(
    { seqs, modalities }: { seqs: readonly number[]; modalities: readonly number[] },
    vectors: Float32Array,
  ): void {
    const first = this.rows;
    for (const [i, seq] of seqs.entries()) {
      this.#places.set(seq, first + i);
      this.#seqs.push(seq);
      this.#modalities.push(modalities[i]);
      this.counts[modalities[i]]++;
    }
    const needed = this.rows * this.dimensions;
    if (needed > this.#values.length) {
      const room = Math.max(this.rows, Math.min(this.#maxRows, 2 * first));
      const grown = new Int8Array(room * this.dimensions);
      grown.set(this.#values);
      this.#values = grown;
    }
    const to = this.#values.subarray(first * this.dimensions, needed);
    quantizeInto(to, vectors, this.scale, ditherOf(this.dimensions).item);
  }

  /** @returns whether the row was here. */
  remove(seq: number): boolean {
    const place = this.#places.get(seq);
    if (place === undefined) return false;
    this.#places.delete(seq);
    this.#seqs[place] = gone;
    this.counts[this.#modalities[place]]--;
    return true;
  }

  /** Gives the places of removed rows to others once they are many. */
  pack(): void {
    if (this.rows - this.live <= goneShare * this.rows) return;
    const d = this.dimensions;
    const kept = [...this.#seqs.keys()].filter((place) => this.isLive(place));
    for (const [to, from] of kept.entries())
      this.#values.copyWithin(to * d, from * d, (from + 1) * d);
    this.#seqs = kept.map((place) => this.#seqs[place]);
    this.#modalities = kept.map((place) => this.#modalities[place]);
    this.#places = new Map(this.#seqs.map((seq, place) => [seq, place]));
  }
}
