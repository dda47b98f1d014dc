import { join } from "node:path";
import { CollectionIndex } from "./collection-index.js";
import type { CollectionRow, CollectionRows } from "./collection-rows.js";
import type { GraphEngine } from "./graph.js";
import type { RowChanges } from "./item-changes.js";
import type { ItemRows } from "./item-rows.js";
import type { Pace } from "./pace.js";
import {
  loadCopy,
  loadGraph,
  removeOtherSnapshots,
  updatedRecord,
  writeCopy,
  writeGraph,
} from "./snapshot.js";
import { guard } from "./sqlite.js";

export interface KeeperOptions {
  dataDir: string;
  engine: GraphEngine;
  scanUpTo: number;
  scanHighUpTo: number;
  snapshotAfter: number;
  pace: Pace;
}

/** Files that are written separately. */
const parts = ["graph", "copy"] as const;
type Part = (typeof parts)[number];

/**
 * The collections in memory: loads each when it is first needed, builds its graph between other
 * work and writes its snapshots. Nothing here affects correctness, only speed: everything can be
 * rebuilt from the rows.
 */
export class IndexKeeper {
  readonly #collections: CollectionRows;
  readonly #items: ItemRows;
  readonly #options: KeeperOptions;
  readonly #folder: string;
  /** By the collection's number, which outlives a rename. */
  readonly #indexes = new Map<number, CollectionIndex>();
  /** Rows of each collection's graph and 8-bit copy on the disk. */
  readonly #saved = new Map<number, Record<Part, number>>();
  #working = false;
  #snapshotting: Promise<void> | undefined;
  #closed = false;

  constructor(collections: CollectionRows, items: ItemRows, options: KeeperOptions) {
    this.#collections = collections;
    this.#items = items;
    this.#options = options;
    this.#folder = join(options.dataDir, "index");
    this.#removeOldSnapshots();
  }

  loaded(collection: number): CollectionIndex | undefined {
    return this.#indexes.get(collection);
  }

  of(row: CollectionRow): CollectionIndex {
    const { collection, snapshot, dimensions } = row;
    const loaded = this.#indexes.get(collection);
    if (loaded !== undefined) return loaded;
    const index = new CollectionIndex(dimensions, this.#options.engine, this.#options);
    guard(() => {
      for (const item of this.#items.vectors(collection))
        index.table.append(item.row, item.modality, item.embedding);
    });
    const saved = { graph: 0, copy: 0 };
    const isOfSpace = snapshot?.space === row.space && snapshot.dimensions === dimensions;
    if (isOfSpace && snapshot.graph !== undefined) {
      const found = loadGraph(this.#folder, snapshot.graph, this.#options.engine, dimensions);
      // In doubt it is rebuilt in the background, while scans answer.
      if ("graph" in found) {
        index.useGraph(found.graph, snapshot.graph.lastRow);
        saved.graph = snapshot.graph.size;
      }
    }
    if (isOfSpace && snapshot.copy !== undefined) {
      const found = loadCopy(this.#folder, snapshot.copy, dimensions);
      if ("pieces" in found) index.table.useCopy(found.pieces);
      saved.copy = index.table.copiedRows;
    }
    index.completeCopy();
    this.#saved.set(collection, saved);
    this.#indexes.set(collection, index);
    this.#workOn();
    return index;
  }

  apply(collection: number, changes: RowChanges): void {
    this.#indexes.get(collection)?.apply(changes);
    this.#workOn();
  }

  rebuild(collection: number): void {
    this.#indexes.get(collection)?.rebuild();
    this.#workOn();
  }

  forget(old: CollectionRow | undefined): void {
    if (old !== undefined) this.#indexes.delete(old.collection);
  }

  async whenIndexed(): Promise<void> {
    while (this.#working || this.#snapshotting !== undefined)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#snapshotting;
    for (const [collection, index] of this.#indexes) {
      for (const part of parts) {
        if (this.#isDue(part, collection, index, true))
          await this.#snapshot(part, collection, index).catch(() => undefined);
      }
    }
  }

  /**
   * Builds graphs in small slices while any is behind, then writes due snapshots.
   */
  #workOn() {
    if (this.#working || this.#closed) return;
    this.#working = true;
    const turn = () => {
      const behind = this.#closed
        ? undefined
        : [...this.#indexes.values()].find((index) => index.hasWork);
      if (behind === undefined) {
        this.#working = false;
        this.#snapshotWhatIsDue();
      } else {
        const wait = this.#options.pace.work((milliseconds) => behind.work(milliseconds));
        if (wait === 0) setImmediate(turn);
        else setTimeout(turn, wait);
      }
    };
    setImmediate(turn);
  }

  #snapshotWhatIsDue() {
    if (this.#closed || this.#snapshotting !== undefined) return;
    for (const [collection, index] of this.#indexes) {
      const due = parts.find((part) => this.#isDue(part, collection, index, false));
      if (due === undefined) continue;
      // A failure (a full disk) only costs building again: the next change retries.
      this.#snapshotting = this.#snapshot(due, collection, index)
        .then(
          () => true,
          () => false,
        )
        .then((isWritten) => {
          this.#snapshotting = undefined;
          if (isWritten) this.#snapshotWhatIsDue();
        });
      return;
    }
  }

  #isDue(part: Part, collection: number, index: CollectionIndex, isLast: boolean): boolean {
    const rows = part === "graph" ? index.graphState?.graph.size : index.table.copiedRows;
    if (rows === undefined) return false;
    const saved = this.#saved.get(collection)?.[part] ?? 0;
    const changed = Math.abs(rows - saved);
    const { snapshotAfter } = this.#options;
    if (!isLast) return changed >= Math.max(snapshotAfter, saved / 5);
    // 1,000 rows are quick to copy again, but not to put into a graph.
    return part === "graph" ? changed > 0 : changed >= Math.max(snapshotAfter / 10, saved / 20);
  }

  async #snapshot(part: Part, collection: number, index: CollectionIndex): Promise<void> {
    const row = this.#collections.byNumber(collection);
    if (row === undefined) return;
    const name = `${collection}-${index.table.lastRow}-${Date.now().toString(36)}`;
    const written = await this.#write(part, name, index);
    const now = this.#collections.byNumber(collection);
    if (now === undefined || written === undefined) return;
    const record = updatedRecord(now.snapshot, row, written.record);
    guard(() => this.#collections.setSnapshot(collection, record));
    const saved = this.#saved.get(collection) ?? { graph: 0, copy: 0 };
    this.#saved.set(collection, { ...saved, [part]: written.rows });
    this.#removeOldSnapshots();
  }

  async #write(part: Part, name: string, index: CollectionIndex) {
    if (part === "copy") {
      const rows = index.table.copiedRows;
      const copy = await writeCopy(this.#folder, name, index.table.savedCopy());
      return { rows, record: { copy } };
    }
    if (index.graphState === undefined) return undefined;
    const { graph, lastRow } = index.graphState;
    const rows = graph.size;
    const of = { engine: this.#options.engine.name, lastRow };
    return { rows, record: { graph: await writeGraph(this.#folder, name, graph, of) } };
  }

  #removeOldSnapshots() {
    const records = this.#collections
      .list()
      .flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot]));
    removeOtherSnapshots(this.#folder, records);
  }
}
