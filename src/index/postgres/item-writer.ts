import { AppError } from "../../errors.js";
import { checkItem, checkPatch } from "../check-item.js";
import { checkFilter, type Filter } from "../filter.js";
import type { Item, ItemPatch, ItemPatched, ItemStatus } from "../item.js";
import { addPatched, nothingPatched, type PatchedWhere } from "../patched-where.js";
import type { EmbeddingOptions } from "../vector-store.js";
import { type CollectionRow, getCollection } from "./collection-rows.js";
import type { Connection, Connections } from "./connections.js";
import type { GraphUpkeep } from "./graph-upkeep.js";
import { deleteItems, idsAfter, patchItems } from "./item-changes.js";
import { type NewItem, writeItems } from "./item-writes.js";

/** Items of one transaction. */
const itemsAtOnce = 250;
const patchesAtOnce = 1000;

interface WriterParts {
  connections: Connections;
  upkeep: GraphUpkeep;
  /** The oid of pgvector's type in this database. */
  vectorType: number;
}

/** Writes items by the name of their collection, each batch in a transaction of its own. */
export class ItemWriter {
  readonly #parts: WriterParts;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  async upsert(
    collection: string,
    items: readonly Item[],
    { signal, space }: EmbeddingOptions = {},
  ): Promise<ItemStatus[]> {
    const statuses: ItemStatus[] = [];
    if (items.length === 0)
      await this.#parts.connections.read((db) => getCollection(db, collection, { space }));
    for (let start = 0; start < items.length; start += itemsAtOnce) {
      if (signal?.aborted) throw new AppError("cancelled", "The request was cancelled");
      const batch = items.slice(start, start + itemsAtOnce);
      statuses.push(...(await this.#upsertBatch(collection, batch, space)));
    }
    return statuses;
  }

  #upsertBatch(
    collection: string,
    items: readonly Item[],
    space: string | undefined,
  ): Promise<ItemStatus[]> {
    return this.#change(collection, { space }, async (db, row) => {
      const good: NewItem[] = [];
      const statuses = items.map((item): ItemStatus => {
        try {
          good.push({ item, metadata: checkItem(item, row) });
          return { id: item.id, status: "stored", replaced: false };
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          const { code, message, param } = error;
          return { id: item.id, status: "failed", error: { code, message, param } };
        }
      });
      if (good.length === 0) return statuses;
      const replaced = await writeItems(db, row, good, this.#parts.vectorType);
      let next = 0;
      return statuses.map((status) =>
        status.status === "stored" ? { ...status, replaced: replaced[next++] } : status,
      );
    });
  }

  async patch(collection: string, patches: readonly ItemPatch[]): Promise<ItemPatched[]> {
    for (const patch of patches) checkPatch(patch);
    const patched: ItemPatched[] = [];
    for (let from = 0; from < patches.length; from += patchesAtOnce) {
      const batch = patches.slice(from, from + patchesAtOnce);
      patched.push(
        ...(await this.#change(collection, {}, (db, { n }) => patchItems(db, n, batch))),
      );
    }
    return patched;
  }

  async patchWhere(
    collection: string,
    filter: Filter,
    patch: Omit<ItemPatch, "id">,
  ): Promise<PatchedWhere> {
    const checked = checkFilter(filter);
    checkPatch(patch);
    const outcome = nothingPatched();
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = { after, limit: patchesAtOnce };
      const { statuses, last } = await this.#change(collection, {}, async (db, { n }) => {
        const found = await idsAfter(db, n, checked, page);
        const patches = found.map(({ id }) => ({ id, ...patch }));
        return { statuses: await patchItems(db, n, patches), last: found.at(-1)?.seq };
      });
      addPatched(outcome, statuses);
      after = statuses.length < patchesAtOnce ? undefined : last;
    }
    return outcome;
  }

  async delete(
    collection: string,
    selection: { ids: readonly string[] } | { filter: Filter },
  ): Promise<number> {
    const checked = "ids" in selection ? selection : { filter: checkFilter(selection.filter) };
    return this.#change(collection, {}, (db, { n }) => deleteItems(db, n, checked));
  }

  /**
   * Changes items while nobody replaces their collection, and schedules the upkeep of its graph.
   */
  async #change<T>(
    name: string,
    { space }: { space?: string },
    work: (db: Connection, row: CollectionRow) => Promise<T>,
  ): Promise<T> {
    const { result, n } = await this.#parts.connections.write(async (db) => {
      const row = await getCollection(db, name, { lock: "share", space });
      return { result: await work(db, row), n: row.n };
    });
    this.#parts.upkeep.schedule(n);
    return result;
  }
}
