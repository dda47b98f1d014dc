import { BitCopy, copyBytes } from "./bit-copy.js";
import { readCopiedRows } from "./copied-rows.js";
import type { Nomination, NominationQuery } from "./query-scan.js";

/** The 8-bit copies of collections, by their numbers: one object in a thread of its own. */
export class CopyCore {
  readonly #copies = new Map<number, { copy: BitCopy; dimensions: number }>();

  /** Begins an empty copy in place of one that may be there. */
  create(n: number, dimensions: number): void {
    this.#copies.set(n, { copy: new BitCopy(dimensions), dimensions });
  }

  /**
   * @param rows  as COPY writes them (copied-rows.ts).
   * @param gone  numbers of rows that are removed, unless they are among `rows`.
   * @returns how many there are now, in how many bytes, and the last of `rows`.
   */
  put(
    n: number,
    rows: Uint8Array,
    gone: readonly number[] = [],
  ): { rows: number; bytes: number; last: number | undefined } {
    const there = this.#copies.get(n);
    if (there === undefined) throw new Error(`There is no copy of collection ${n}`);
    const { copy, dimensions } = there;
    const { seqs, modalities, vectors } = readCopiedRows(rows, dimensions);
    copy.remove(gone);
    copy.put(seqs, modalities, vectors);
    return { rows: copy.rows, bytes: copyBytes(copy.rows, dimensions), last: seqs.at(-1) };
  }

  drop(n: number): void {
    this.#copies.delete(n);
  }

  nominate(n: number, queries: readonly NominationQuery[]): (Nomination | undefined)[] {
    const there = this.#copies.get(n);
    // The thread was replaced, and its copies went with it.
    if (there === undefined) throw new Error(`There is no copy of collection ${n}`);
    return there.copy.nominate(queries);
  }
}
