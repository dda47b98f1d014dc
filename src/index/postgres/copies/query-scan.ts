import { type Nearest, nearestInBlock } from "../../quantized/nearest-in-block.js";
import { quantizationMargin, quantizeQuery } from "../../quantized/quantize.js";
import { rotate } from "../../quantized/rotate.js";
import { TopK } from "../../top-k.js";
import type { BitPiece } from "./bit-piece.js";

/** What a copy is asked for. */
export interface NominationQuery {
  vector: Float32Array;
  k: number;
  modality?: number;
  minSimilarity?: number;
  /** Numbers that are not nominated: their vectors have changed. */
  except: readonly number[];
}

export interface Nomination {
  /** Of the rows that may be among the first K, K of them at least if there are so many. */
  seqs: number[];
  /** Whatever is not nominated is less similar than this. */
  bound: number;
}

/** Comparing with more in the database costs more than other ways to answer. */
const maxNominated = 16_384;
/** What a query has had of a piece. */
interface Part {
  piece: BitPiece;
  /** How many rows were given, the nearest first. */
  count: number;
  /** Those that count, with the most that their similarity can be. */
  found: Map<number, number>;
  /** The most that the similarity of any other row can be. */
  rest: number;
}

/** One query's way through the pieces. */
export class QueryScan {
  readonly values: Int8Array;
  readonly #query: NominationQuery;
  readonly #inBits: ReturnType<typeof quantizeQuery>;
  readonly #except: Set<number>;
  /** By the least that a similarity can be. */
  readonly #top: TopK;
  readonly #parts: Part[] = [];

  constructor(query: NominationQuery) {
    const turned = query.vector.slice();
    rotate(turned);
    this.#query = query;
    this.#inBits = quantizeQuery(turned);
    this.values = this.#inBits.values;
    this.#except = new Set(query.except);
    this.#top = new TopK(query.k, query);
  }

  take(piece: BitPiece, nearest: Nearest): void {
    const part: Part = { piece, count: 0, found: new Map<number, number>(), rest: 0 };
    this.#parts.push(part);
    this.#read(part, nearest);
  }

  finish(): Nomination | undefined {
    for (const part of this.#parts) {
      const { piece } = part;
      // What is left of a piece can be as similar as its last row that was given, at most.
      while (part.count < piece.rows && part.rest >= this.#top.threshold) {
        const count = Math.min(piece.rows, 4 * part.count);
        if (count > maxNominated) return undefined;
        this.#read(part, nearestInBlock(piece.vectors, this.values, piece.dimensions, count)[0]);
      }
    }
    const bound = this.#top.threshold;
    const seqs: number[] = [];
    for (const { found } of this.#parts)
      for (const [seq, atMost] of found) if (atMost >= bound) seqs.push(seq);
    return seqs.length > maxNominated ? undefined : { seqs, bound };
  }

  #read(part: Part, { places, similarities }: Nearest): void {
    const { piece, found } = part;
    const { scale, shift } = this.#inBits;
    const margin = quantizationMargin(piece.scale, scale);
    const toCosine = 1 / (piece.scale * scale);
    for (const [i, place] of places.entries()) {
      const similarity = toCosine * (similarities[i] - shift);
      part.rest = similarity + margin;
      const seq = piece.seqAt(place);
      if (found.has(seq) || !this.#counts(piece, place, seq)) continue;
      found.set(seq, similarity + margin);
      this.#top.offer(similarity - margin, seq, 0);
    }
    part.count = places.length;
  }

  #counts(piece: BitPiece, place: number, seq: number): boolean {
    const { modality } = this.#query;
    if (!piece.isLive(place) || this.#except.has(seq)) return false;
    return modality === undefined || piece.modalityAt(place) === modality;
  }
}
