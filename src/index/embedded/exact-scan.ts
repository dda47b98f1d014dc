import { type Nearest, nearestInBlock } from "../quantized/nearest-in-block.js";
import { quantizationMargin, quantizeQuery } from "../quantized/quantize.js";
import { rotate } from "../quantized/rotate.js";
import type { TopK } from "../top-k.js";
import type { VectorTable } from "./vector-table.js";

/**
 * float32 sums of another order differ from ours by less than this (measured: 8e-8 at 512
 * dimensions).
 */
const rounding = 1e-5;
/** Below this many rows the loop is as fast as the native scan. */
const fewRows = 64;

/**
 * Offers every live vector from position `from` on to `top`: the oracle that every other search is
 * tested against.
 *
 * Whole blocks go through the native scan (1.7 ms for 20,000 x 512, against 8.7 ms for the loop
 * below). It only nominates: similarities are recomputed here, and more are requested until the
 * rest cannot matter.
 */
export function scanAll(table: VectorTable, query: Float32Array, top: TopK, from = 0): void {
  scanBlocks(table, query, top, from, (position) => offerOne(table, query, top, position));
}

function scanBlocks(
  table: VectorTable,
  query: Float32Array,
  top: TopK,
  from: number,
  offer: Offer,
): void {
  for (let start = from; start < table.length; ) {
    const block = Math.floor(start / table.blockRows);
    const first = block * table.blockRows;
    const end = Math.min(table.length, first + table.blockRows);
    if (start === first && end - start >= fewRows)
      scanBlock(table, block, end - start, query, top, offer);
    else for (const position of range(start, end)) offer(position);
    start = end;
  }
}

/** A query of `scanQuantized`. */
export interface QuantizedQuery {
  vector: Float32Array;
  top: TopK;
  /** Whether a position counts; called only for those that would enter `top`. */
  admits?: (position: number) => boolean;
}

/**
 * The same over the whole table for several queries at once, but 8-bit copies nominate: a quarter
 * of the memory to read (1.7 ms for 100,000 x 512 and one query, against 6.9 ms). A miss would take
 * a rounding error of six standard deviations. Rows not copied yet are scanned in float32.
 */
export function scanQuantized(table: VectorTable, queries: readonly QuantizedQuery[]): void {
  const { dimensions } = table;
  const offers = queries.map(({ vector, top, admits = () => true }) => {
    return (position: number) => offerOne(table, vector, top, position, admits);
  });
  const inBits = queries.map(({ vector }) => {
    const turned = Float32Array.from(vector);
    rotate(turned);
    return quantizeQuery(turned);
  });
  const packed = new Int8Array(queries.length * dimensions);
  for (const [i, { values }] of inBits.entries()) packed.set(values, i * dimensions);
  const wanted = Math.max(...queries.map(({ top }) => top.k)) + 48;
  let end = 0;
  for (const { first, rows, values, scale } of table.quantized) {
    const vectors = values.subarray(0, rows * dimensions);
    const nominated = wanted <= rows ? nearestInBlock(vectors, packed, dimensions, wanted) : [];
    for (const [i, { top }] of queries.entries()) {
      const query = inBits[i];
      const ask = (count: number) => nearestInBlock(vectors, query.values, dimensions, count)[0];
      const units = {
        scale: 1 / (scale * query.scale),
        shift: query.shift,
        margin: quantizationMargin(scale, query.scale),
      };
      offerNominated({ rows, first, nominated: nominated[i], ask, ...units }, top, offers[i]);
    }
    end = first + rows;
  }
  for (const [i, { vector, top }] of queries.entries())
    scanBlocks(table, vector, top, end, offers[i]);
}

/** Offers the live vectors among `positions` to `top`. */
export function scanSome(
  table: VectorTable,
  query: Float32Array,
  top: TopK,
  positions: Iterable<number>,
): void {
  for (const position of positions) offerOne(table, query, top, position);
}

export function* range(from: number, to: number): Iterable<number> {
  for (let position = from; position < to; position++) yield position;
}

function offerOne(
  table: VectorTable,
  query: Float32Array,
  top: TopK,
  position: number,
  admits?: (position: number) => boolean,
): void {
  if (!table.isLive(position)) return;
  const similarity = table.dot(position, query);
  if (admits !== undefined && !(similarity >= top.threshold && admits(position))) return;
  top.offer(similarity, table.row(position), position);
}

function scanBlock(
  table: VectorTable,
  block: number,
  rows: number,
  query: Float32Array,
  top: TopK,
  offer: Offer,
) {
  const { dimensions } = table;
  const vectors = table.blocks[block].subarray(0, rows * dimensions);
  const first = block * table.blockRows;
  const ask = (count: number) => nearestInBlock(vectors, query, dimensions, count)[0];
  const nominated = top.k + 16 <= rows ? ask(top.k + 16) : undefined;
  offerNominated({ rows, first, nominated, ask, scale: 1, shift: 0, margin: rounding }, top, offer);
}

interface BlockScan {
  rows: number;
  /** Position of the block's first row. */
  first: number;
  /** The nearest by native code; none when the block is smaller than the request. */
  nominated: Nearest | undefined;
  /** For more of them, at the price of another scan. */
  ask: (count: number) => Nearest;
  /**
   * Converts native similarities to cosines, (similarity - shift) * scale, and their error bound.
   */
  scale: number;
  shift: number;
  margin: number;
}

/** Offers what a block nominates, requesting more until the rest cannot matter. */
function offerNominated(
  { rows, first, nominated, ask, scale, shift, margin }: BlockScan,
  top: TopK,
  offer: Offer,
): void {
  // Across calls: among equal similarities, a larger request may omit earlier results.
  const offered = new Set<number>();
  for (let nearest = nominated; nearest !== undefined; ) {
    const { places, similarities } = nearest;
    for (const [i, place] of places.entries()) {
      // And so are all after it
      if (scale * (similarities[i] - shift) + margin < top.threshold) return;
      if (!offered.has(place)) offer(first + place);
      offered.add(place);
    }
    nearest = 4 * places.length <= rows / 4 ? ask(4 * places.length) : undefined;
  }
  for (let place = 0; place < rows; place++) if (!offered.has(place)) offer(first + place);
}

type Offer = (position: number) => void;
