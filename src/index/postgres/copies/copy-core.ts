import { BitCopy, copyBytes } from "./bit-copy.js";
import { readCopiedRows } from "./copied-rows.js";
import type { Nomination, NominationQuery } from "./query-scan.js";

/** The 8-bit copies of collections, by their ids: one object in a thread of its own. */
export class CopyCore {
  readonly #copies = new Map<number, { copy: BitCopy; dimensions: number }>();

  create(id: number, dimensions: number): void {
    this.#copies.set(id, { copy: new BitCopy(dimensions), dimensions });
  }

  /**
   * @param rows  as COPY writes them (copied-rows.ts).
   * @param gone  numbers of rows that are removed, unless they are among `rows`.
   * @returns how many there are now of each modality, and in how many bytes.
   */
  put(
    id: number,
    rows: Uint8Array,
    gone: readonly number[] = [],
  ): { counts: number[]; bytes: number } {
    const { copy, dimensions } = this.#get(id);
    const { seqs, modalities, vectors } = readCopiedRows(rows, dimensions);
    copy.remove(gone);
    copy.put(seqs, modalities, vectors);
    const { counts } = copy;
    return { counts, bytes: copyBytes(copy.rows, dimensions) };
  }

  drop(id: number): void {
    this.#copies.delete(id);
  }

  nominate(id: number, queries: readonly NominationQuery[]): (Nomination | undefined)[] {
    return this.#get(id).copy.nominate(queries);
  }

  /** One that was dropped is missing, and all are when this thread took the place of another. */
  #get(id: number) {
    const found = this.#copies.get(id);
    if (found === undefined) throw new Error(`There is no copy ${id}`);
    return found;
  }
}
