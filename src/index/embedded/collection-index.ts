import type { GraphEngine } from "./graph.js";
import { GroupedGraph } from "./grouped-graph.js";
import type { RowChanges } from "./item-changes.js";
import { TableRenewal } from "./table-renewal.js";
import { VectorTable } from "./vector-table.js";

/**
 * A graph and its extent: it holds every row at positions below `upTo`, and `dead` deleted ones.
 */
interface Cover {
  graph: GroupedGraph;
  upTo: number;
  lastRow: number;
  dead: number;
}

export interface IndexLimits {
  /** Up to this many items every search is a scan, and no graph is built. */
  scanUpTo: number;
  /** Up to this many items `high` scans even if there is a graph, which then serves `fast`. */
  scanHighUpTo: number;
}

/** Share of deleted rows in a graph (or in the table) above which it is rebuilt. */
const deadShare = 0.25;
/** Up to this many rows a float32 scan is as fast as an 8-bit one, and there is no copy. */
export const withoutCopy = 2000;

/**
 * A collection in memory: the table of all vectors and the graph over the older ones. Rows enter
 * the graph in small slices between other work; until then searches scan them. After many deletions
 * a new graph is built beside the old one.
 */
export class CollectionIndex {
  readonly engine: GraphEngine;
  readonly limits: IndexLimits;
  table: VectorTable;
  /** Row numbers and positions cached before a change are invalid after it. */
  version = 0;
  #serving: Cover | undefined;
  #next: Cover | undefined;
  /** Whether a table and graph without the removed rows are asked for. */
  #renew = false;
  #renewal: TableRenewal | undefined;

  constructor(dimensions: number, engine: GraphEngine, limits: IndexLimits) {
    this.engine = engine;
    this.limits = limits;
    this.table = new VectorTable(dimensions);
  }

  /** Takes over a graph from a snapshot; the table must be complete. */
  useGraph(graph: GroupedGraph, lastRow: number): void {
    const upTo = this.table.positionsUpTo(lastRow);
    this.#serving = { graph, upTo, lastRow, dead: graph.size - upTo };
  }

  apply(changes: RowChanges): void {
    this.version++;
    for (const { row, modality, embedding } of changes.added)
      this.table.append(row, modality, embedding);
    for (const row of changes.removed) {
      const position = this.table.positionOf(row);
      if (position === undefined) continue;
      for (const cover of [this.#serving, this.#next])
        if (cover !== undefined && position < cover.upTo) cover.dead++;
      this.table.remove(row);
      this.#renewal?.remove(row);
    }
  }

  /** Requests a table and a graph without the removed rows, however few. */
  rebuild(): void {
    this.#renew = this.table.removed > 0 || (this.#serving?.dead ?? 0) > 0;
  }

  /** The graph, if it reaches far enough that scanning the rest is cheap. */
  get cover(): Readonly<Cover> | undefined {
    const cover = this.#serving;
    if (cover === undefined || this.table.live <= this.limits.scanUpTo) return undefined;
    return this.table.length - cover.upTo <= this.limits.scanUpTo ? cover : undefined;
  }

  get state(): "none" | "building" | "ready" {
    if (this.#serving === undefined)
      return this.table.live > this.limits.scanUpTo ? "building" : "none";
    return this.#next === undefined && this.#serving.upTo === this.table.length
      ? "ready"
      : "building";
  }

  /** Items that the graph finds. */
  get indexed(): number {
    return this.#serving === undefined ? 0 : this.#serving.graph.size - this.#serving.dead;
  }

  /** The current graph, used or not: the content of a snapshot. */
  get graphState(): { graph: GroupedGraph; lastRow: number } | undefined {
    return this.#serving;
  }

  /** Whether there is `work` to do. */
  get hasWork(): boolean {
    return this.#renewal !== undefined || this.#isLittered || this.#lacksCopy || this.#lacksGraph;
  }

  get #lacksCopy(): boolean {
    const { scanUpTo, scanHighUpTo } = this.limits;
    const isScanned = this.table.live <= Math.max(scanUpTo, scanHighUpTo);
    return isScanned && this.table.length > withoutCopy && this.table.isCopyBehind;
  }

  get #lacksGraph(): boolean {
    if (this.#next !== undefined) return true;
    if (this.#serving === undefined) return this.table.live > this.limits.scanUpTo;
    return this.#serving.upTo < this.table.length;
  }

  /**
   * Completes the 8-bit copy: until then, each search reads four times the memory.
   */
  completeCopy(): void {
    while (this.#lacksCopy) this.table.extendCopy();
  }

  /** Brings table, 8-bit copy and graph forward, one after the other, for about `budgetMs`. */
  work(budgetMs: number): void {
    const end = performance.now() + budgetMs;
    if (this.#isLittered) {
      this.#renew = false;
      this.#renewal = new TableRenewal(this.table);
    }
    if (this.#renewal !== undefined) {
      if (!this.#renewal.work(end)) return;
      this.#useRenewed(this.#renewal.table);
    }
    while (this.#lacksCopy && performance.now() < end) this.table.extendCopy();
    if (!this.#lacksGraph) return;
    this.#serving ??= this.#newCover();
    const cover = this.#next ?? this.#serving;
    while (cover.upTo < this.table.length && performance.now() < end) this.#addNext(cover);
    if (cover === this.#next && cover.upTo === this.table.length) {
      this.#serving = cover;
      this.#next = undefined;
    }
  }

  get #isLittered(): boolean {
    if (this.#next !== undefined || this.#renewal !== undefined) return false;
    const dead = Math.max(this.#serving?.dead ?? 0, this.table.removed);
    return this.#renew || (dead > 1000 && dead > deadShare * this.table.length);
  }

  #useRenewed(table: VectorTable) {
    this.#renewal = undefined;
    this.table = table;
    this.version++;
    if (this.#serving === undefined) return;
    this.#serving.upTo = this.table.positionsUpTo(this.#serving.lastRow);
    if (this.table.live > this.limits.scanUpTo) this.#next = this.#newCover();
    else this.#serving = undefined;
  }

  #newCover(): Cover {
    const graph = new GroupedGraph(this.engine.create(this.table.dimensions));
    return { graph, upTo: 0, lastRow: 0, dead: 0 };
  }

  #addNext(cover: Cover) {
    const { table } = this;
    const position = cover.upTo++;
    cover.lastRow = table.row(position);
    if (table.isLive(position)) cover.graph.add(cover.lastRow, table.vector(position).slice());
  }
}
