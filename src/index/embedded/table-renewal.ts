import type { VectorTable } from "./vector-table.js";

/** Rows that are copied between two looks at the clock: a tenth of a millisecond. */
const stepRows = 64;

/**
 * A table rebuilt without its removed rows, in steps, so that no search waits for all of it. The
 * old table serves, and may change, until the new one holds everything that it holds.
 */
export class TableRenewal {
  readonly #old: VectorTable;
  /** The new table. */
  readonly table: VectorTable;
  /** Positions of the old table that have been copied. */
  #position = 0;
  #steps: Generator<void>;

  constructor(old: VectorTable) {
    this.#old = old;
    this.table = old.emptied();
    this.#steps = this.#rowsAndCopy();
  }

  /** Must be called for each row that the old table loses. */
  remove(row: number): void {
    this.table.remove(row); // one not copied yet is simply skipped
  }

  /**
   * Continues until `end` (of performance.now()), for at least one step.
   * @returns whether the new table holds every row of the old one: until that changes again.
   */
  work(end: number): boolean {
    do {
      if (!this.#steps.next().done) continue;
      if (this.#position === this.#old.length) return true;
      this.#steps = this.#rows(); // added meanwhile
    } while (performance.now() < end);
    return false;
  }

  *#rowsAndCopy(): Generator<void> {
    yield* this.#rows();
    yield* this.table.copyTaken(this.#old.savedCopy());
  }

  *#rows(): Generator<void> {
    const old = this.#old;
    while (this.#position < old.length) {
      const position = this.#position++;
      if (old.isLive(position))
        this.table.append(old.row(position), old.modality(position), old.vector(position));
      if (this.#position % stepRows === 0) yield;
    }
  }
}
