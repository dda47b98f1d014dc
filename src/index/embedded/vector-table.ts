import { QuantizedCopy, type QuantizedPiece } from "./quantized-copy.js";
import type { SavedPiece } from "./snapshot.js";

/**
 * The searchable copy of a collection's vectors: float32 in blocks, so that it grows without being
 * copied.
 *
 * A position is a place in the table, oldest row first: row numbers ascend with positions. A
 * removed row keeps its place, marked, until the table is rebuilt.
 */
export class VectorTable {
  readonly dimensions: number;
  readonly blockRows: number;
  readonly blocks: Float32Array[] = [];
  readonly #quantized: QuantizedCopy;
  /** Positions by modality. */
  readonly #counts: number[] = [];
  /** Positions in use, removed ones included. */
  length = 0;
  removed = 0;
  #rows = new Float64Array(1024);
  #modality = new Uint8Array(1024);
  #gone = new Uint8Array(1024);

  /** @param pieceRows  rows in a piece of the 8-bit copy, a multiple of 64. */
  constructor(dimensions: number, pieceRows?: number) {
    this.dimensions = dimensions;
    this.blockRows = Math.max(64, Math.floor(blockFloats / dimensions));
    this.#quantized = new QuantizedCopy(dimensions, pieceRows);
  }

  /** Existing items. */
  get live(): number {
    return this.length - this.removed;
  }

  append(row: number, modality: number, embedding: Float32Array): void {
    const place = this.length % this.blockRows;
    if (place === 0) this.blocks.push(new Float32Array(this.blockRows * this.dimensions));
    if (this.length === this.#rows.length) this.#grow();
    this.blocks[this.blocks.length - 1].set(embedding, place * this.dimensions);
    this.#rows[this.length] = row;
    this.#modality[this.length] = modality;
    this.#counts[modality] = this.countOf(modality) + 1;
    this.length++;
  }

  remove(row: number): void {
    const position = this.positionOf(row);
    if (position === undefined) return;
    this.#gone[position] = 1;
    this.removed++;
  }

  row(position: number): number {
    return this.#rows[position];
  }

  modality(position: number): number {
    return this.#modality[position];
  }

  /** Positions of a modality, removed ones included. */
  countOf(modality: number): number {
    return this.#counts[modality] ?? 0;
  }

  isLive(position: number): boolean {
    return this.#gone[position] === 0;
  }

  /** The position of an existing row. */
  positionOf(row: number): number | undefined {
    const position = this.positionsUpTo(row) - 1;
    return position >= 0 && this.#rows[position] === row && this.#gone[position] === 0
      ? position
      : undefined;
  }

  /** How many positions hold rows up to and including `row`. */
  positionsUpTo(row: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#rows[middle] <= row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A view, valid until the table changes. */
  vector(position: number): Float32Array {
    const start = (position % this.blockRows) * this.dimensions;
    return this.blocks[Math.floor(position / this.blockRows)].subarray(
      start,
      start + this.dimensions,
    );
  }

  /** The vectors of [first, end), block by block. */
  *vectorsOf(first: number, end: number): Iterable<Float32Array> {
    for (let start = first; start < end; ) {
      const place = start % this.blockRows;
      const rows = Math.min(end - start, this.blockRows - place);
      const block = this.blocks[Math.floor(start / this.blockRows)];
      yield block.subarray(place * this.dimensions, (place + rows) * this.dimensions);
      start += rows;
    }
  }

  /**
   * The first vectors in 8 bits, as consecutive pieces, up to where `extendCopy` has come.
   */
  get quantized(): readonly QuantizedPiece[] {
    return this.#quantized.pieces;
  }

  /** Whether more vectors can be copied; the last few wait for others. */
  get isCopyBehind(): boolean {
    return this.#quantized.isBehind(this.length);
  }

  /** Rows in the 8-bit copy. */
  get copiedRows(): number {
    return this.#quantized.rows;
  }

  /** The number of the newest row it ever had. */
  get lastRow(): number {
    return this.length === 0 ? 0 : this.#rows[this.length - 1];
  }

  /**
   * The current 8-bit copy, for the disk. The returned pieces do not change while the copy grows.
   */
  savedCopy(): SavedPiece[] {
    return this.quantized.map(({ first, rows, values, scale }) => ({
      rows,
      scale,
      numbers: this.#rows.slice(first, first + rows),
      values: values.subarray(0, rows * this.dimensions),
    }));
  }

  /**
   * Adopts a saved copy, without deleted rows. One with missing rows in between is not used.
   */
  useCopy(pieces: readonly SavedPiece[]): void {
    for (const _ of this.copyTaken(pieces));
  }

  /** The same in steps, each of a piece: rows may be appended and removed between them. */
  *copyTaken(pieces: readonly SavedPiece[]): Generator<void> {
    let position = 0;
    const kept: Uint8Array[] = [];
    for (const { numbers } of pieces) {
      const isLiveRow = new Uint8Array(numbers.length);
      for (let i = 0; i < numbers.length; i++) {
        if (position === this.length || this.#rows[position] !== numbers[i]) continue;
        position++;
        isLiveRow[i] = 1;
      }
      kept.push(isLiveRow);
      yield;
    }
    const last = pieces.at(-1)?.numbers.at(-1) ?? 0;
    if (this.positionsUpTo(last) === position)
      yield* this.#quantized.taken(pieces, kept, (first) => this.vector(first));
  }

  /** Copies some more vectors to 8 bits: work of a millisecond or two. */
  extendCopy(): void {
    this.#quantized.extend(this.length, (first, end) => this.vectorsOf(first, end));
  }

  /**
   * Dot product with a query, summed in float64 in a fixed order: ties stay ties.
   */
  dot(position: number, query: Float32Array): number {
    const block = this.blocks[Math.floor(position / this.blockRows)];
    let at = (position % this.blockRows) * this.dimensions;
    const unrolled = this.dimensions - (this.dimensions % 4);
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0; i < unrolled; i += 4, at += 4) {
      // Four sums at once, so that additions need not wait for each other.
      a += query[i] * block[at];
      b += query[i + 1] * block[at + 1];
      c += query[i + 2] * block[at + 2];
      d += query[i + 3] * block[at + 3];
    }
    for (let i = unrolled; i < this.dimensions; i++, at++) a += query[i] * block[at];
    return a + b + (c + d);
  }

  /** An empty table of the same kind. */
  emptied(): VectorTable {
    return new VectorTable(this.dimensions, this.#quantized.pieceRows);
  }

  #grow() {
    const capacity = this.#rows.length * 2;
    const rows = new Float64Array(capacity);
    rows.set(this.#rows);
    this.#rows = rows;
    const bytes = [this.#modality, this.#gone].map((old) => {
      const grown = new Uint8Array(capacity);
      grown.set(old);
      return grown;
    });
    [this.#modality, this.#gone] = bytes;
  }
}

/** 16 MB a block: 8,192 rows of 512 dimensions. */
const blockFloats = 1 << 22;
