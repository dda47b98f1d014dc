import { join } from "node:path";
import { CollectionIndex } from "./collection-index.js";
import type { CollectionRow, CollectionRows } from "./collection-rows.js";
import type { GraphEngine } from "./graph.js";
import type { ItemRows, RowChanges } from "./item-rows.js";
import { loadSnapshot, removeOtherSnapshots, writeSnapshot } from "./snapshot.js";
import { guard } from "./sqlite.js";

export interface KeeperOptions {
  dataDir: string;
  engine: GraphEngine;
  scanUpTo: number;
  scanHighUpTo: number;
  snapshotAfter: number;
}

/** A slice of graph building: what a search may have to wait for. */
const sliceMs = 4;

/**
 * The collections in memory: loads each when it is first needed, builds its graph between other work and writes its
 * snapshots. Nothing here is needed to be right, only to be fast: everything can be made again from the rows.
 */
export class IndexKeeper {
  readonly #collections: CollectionRows;
  readonly #items: ItemRows;
  readonly #options: KeeperOptions;
  readonly #folder: string;
  /** By the collection's number, which outlives a rename. */
  readonly #indexes = new Map<number, CollectionIndex>();
  /** Size of each collection's graph in its last snapshot. */
  readonly #snapshotSize = new Map<number, number>();
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
    if (snapshot !== undefined) {
      const found = loadSnapshot(this.#folder, snapshot, this.#options.engine, row);
      // In doubt it is built again in the background, while scans answer.
      if ("graph" in found) {
        index.useGraph(found.graph, snapshot.lastRow);
        this.#snapshotSize.set(collection, snapshot.size);
      }
    }
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

  async settled(): Promise<void> {
    while (this.#working || this.#snapshotting !== undefined)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#snapshotting;
    for (const [collection, index] of this.#indexes) {
      if (this.#changedSinceSnapshot(collection, index) > 0)
        await this.#snapshot(collection, index).catch(() => undefined);
    }
  }

  /** Builds graphs in small slices for as long as one is behind, then writes the snapshots that are due. */
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
        behind.work(sliceMs);
        setImmediate(turn);
      }
    };
    setImmediate(turn);
  }

  #snapshotWhatIsDue() {
    if (this.#closed || this.#snapshotting !== undefined) return;
    const due = [...this.#indexes].find(([collection, index]) => {
      const enough = Math.max(
        this.#options.snapshotAfter,
        (this.#snapshotSize.get(collection) ?? 0) / 5,
      );
      return this.#changedSinceSnapshot(collection, index) >= enough;
    });
    if (due === undefined) return;
    // A failure (a full disk) costs nothing but the time of building again: the next change tries again.
    this.#snapshotting = this.#snapshot(...due)
      .catch(() => undefined)
      .finally(() => {
        this.#snapshotting = undefined;
      });
  }

  #changedSinceSnapshot(collection: number, index: CollectionIndex): number {
    const size = index.graphState?.graph.size;
    return size === undefined ? 0 : Math.abs(size - (this.#snapshotSize.get(collection) ?? 0));
  }

  async #snapshot(collection: number, index: CollectionIndex): Promise<void> {
    const row = this.#collections.byNumber(collection);
    const state = index.graphState;
    if (row === undefined || state === undefined) return;
    const { graph, lastRow } = state;
    const { size } = graph;
    const record = await writeSnapshot(this.#folder, graph, {
      file: `${collection}-${lastRow}-${Date.now().toString(36)}.graph`,
      engine: this.#options.engine.name,
      space: row.space,
      dimensions: row.dimensions,
      size,
      lastRow,
    });
    guard(() => this.#collections.setSnapshot(collection, record));
    this.#snapshotSize.set(collection, size);
    this.#removeOldSnapshots();
  }

  #removeOldSnapshots() {
    const records = this.#collections
      .list()
      .flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot]));
    removeOtherSnapshots(this.#folder, records);
  }
}
