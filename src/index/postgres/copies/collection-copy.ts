import type { CollectionRow } from "../collection-rows.js";
import type { LogPosition } from "./vector-log.js";

/** What never changes of a collection. */
export type CopiedCollection = Pick<CollectionRow, "n" | "dimensions" | "space">;

/** A step by which a copy came to a position. */
interface Step {
  position: LogPosition;
  /** Rows that it changed. */
  seqs: readonly number[];
}

let lastId = 0;

/** Searches last for less than so many steps. */
const keptSteps = 32;

/**
 * What this server knows of its copy of a collection: how far it has come, and by which steps.
 *
 * A search reads the database as it was at one moment, while the copy may go on. Of the position
 * that the copy had before that moment it takes the changes from the log; what later steps changed
 * in the copy is listed here. Vectors of both kinds are compared in the database: then it does not
 * matter in which state the copy had them.
 */
export class CollectionCopy {
  /** Its own: another copy of the same collection may take its place while a search uses it. */
  readonly id: number;
  readonly collection: CopiedCollection;
  /** Names and aliases that the collection was found by, of which some may be another's by now. */
  readonly names = new Set<string>();
  /** Rows of each modality. */
  counts: readonly number[] = [];
  bytes: number;
  /** By `performance.now()`. */
  usedAt = performance.now();
  /** From when on searches may ask it outside a transaction, by `performance.now()`. */
  directFrom = 0;
  #steps: (Step & { at: number })[] = [];
  /** The rows of one that is under way, or has failed: they may be changed or not. */
  #pending: readonly number[] = [];

  /** @param bytes  that it is expected to take. */
  constructor(collection: CopiedCollection, bytes: number) {
    this.id = ++lastId;
    this.collection = collection;
    this.bytes = bytes;
  }

  get n(): number {
    return this.collection.n;
  }

  get rows(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  countOf(modality: number): number {
    return this.counts[modality] ?? 0;
  }

  /** Where it has come to; undefined until it has everything. */
  get position(): LogPosition | undefined {
    return this.#steps.at(-1)?.position;
  }

  /** Call before its rows change. Of a step that failed the next one has the rows again. */
  begin(seqs: readonly number[]): void {
    this.#pending = seqs;
  }

  /** @param at  later than the moments of searches that began before. */
  end(position: LogPosition, at: number): void {
    this.#steps.push({ position, seqs: this.#pending, at });
    this.#pending = [];
    if (this.#steps.length > keptSteps) this.#steps.shift();
  }

  /** Its position at a moment. */
  positionAt(moment: number): LogPosition | undefined {
    return this.#steps.findLast(({ at }) => at <= moment)?.position;
  }

  /** Rows that it may have in a later state than at that moment. */
  changedSince(moment: number): number[] {
    const later = this.#steps.filter(({ at }) => at > moment);
    return [...later.flatMap(({ seqs }) => [...seqs]), ...this.#pending];
  }
}
