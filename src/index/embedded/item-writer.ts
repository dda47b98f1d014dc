import { checkSpace, replacedMeanwhile } from "../check-space.js";
import type { Filter } from "../filter.js";
import type { Failure, ItemPatch, PatchStatus } from "../item.js";
import type { CollectionRow, CollectionRows } from "./collection-rows.js";
import type { IndexKeeper } from "./index-keeper.js";
import type { ItemChanges, ItemRow, RowChanges } from "./item-changes.js";
import type { ItemRows } from "./item-rows.js";
import type { WriteQueue } from "./write-queue.js";

interface WriterParts {
  collections: CollectionRows;
  items: ItemRows;
  changes: ItemChanges;
  writes: WriteQueue;
  indexes: IndexKeeper;
}

/** Writes items by the name of their collection: to the disk, then to the index in memory. */
export class ItemWriter {
  readonly #parts: WriterParts;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** @returns per item whether it replaced another. */
  upsert(
    name: string,
    { space, dimensions }: { space: string; dimensions: number },
    items: readonly ItemRow[],
  ): Promise<boolean[]> {
    return this.#change(name, (row) => {
      if (dimensions !== row.dimensions) throw replacedMeanwhile(name);
      checkSpace(row, space);
      const { collection } = row;
      const { replaced, changes } = this.#parts.changes.upsert(collection, dimensions, items);
      return { result: replaced, changes };
    });
  }

  /** @returns the outcome for each item, or its error. */
  patch(name: string, patches: readonly ItemPatch[]): Promise<(PatchStatus | Failure)[]> {
    return this.#change(name, ({ collection }) => ({
      result: this.#parts.changes.patch(collection, patches),
      changes: { added: [], removed: [] }, // answers of filters were remembered
    }));
  }

  delete(
    name: string,
    selection: { ids: readonly string[] } | { filter: Filter },
  ): Promise<number> {
    const remove = ({ collection, dimensions }: CollectionRow) => {
      const rows =
        "ids" in selection
          ? this.#parts.items.rowsOfIds(collection, selection.ids)
          : this.#parts.items.rowsOfFilter(collection, selection.filter);
      return {
        result: rows.length,
        changes: this.#parts.changes.delete(collection, dimensions, rows),
      };
    };
    return this.#change(name, remove, { freesRoom: true });
  }

  #change<T>(
    name: string,
    run: (row: CollectionRow) => { result: T; changes: RowChanges },
    options: { freesRoom?: boolean } = {},
  ): Promise<T> {
    return this.#parts.writes.write(
      () => {
        const row = this.#parts.collections.get(name);
        return { ...run(row), collection: row.collection };
      },
      ({ result, changes, collection }) => {
        this.#parts.indexes.apply(collection, changes);
        return result;
      },
      options,
    );
  }
}
