import type { Filter } from "../filter.js";
import { matchFilter } from "../match-filter.js";
import type { Recall, SearchResult } from "../query.js";
import { centered, scanCentered } from "./centered-scan.js";
import { type CollectionIndex, withoutCopy } from "./collection-index.js";
import type { CoreQuery } from "./core-types.js";
import { range, scanAll, scanQuantized, scanSome } from "./exact-scan.js";
import type { ItemRows } from "./item-rows.js";
import { modalities } from "./modality-means.js";
import { type Hit, type Rank, TopK } from "./top-k.js";

/** A checked query, ready to be answered. `modality` is a number (modality-means.ts). */
export interface PlannedQuery {
  vector: Float32Array;
  topK: number;
  recall: Recall;
  filter?: Filter;
  modality?: number;
  minSimilarity?: number;
  after?: Rank;
  centering?: { queryMean: ArrayLike<number> | undefined; means: Map<number, ArrayLike<number>> };
}

/**
 * Width of the graph search at 10,000 items, chosen by recall of queries of another modality, and
 * the power of the size with which it must grow for the same recall (192 -> 768 from 10,000 to
 * 100,000: docs/decisions/0010-usearch.md).
 */
const efSearchAt10k = { high: 192, fast: 64 };
const efSearchGrowth = 0.6;
/**
 * How many of the nominated float32 ranks again: int8 puts nearly all of the true first K among the
 * first 4 K.
 */
const rerank = (topK: number) => 40 + 6 * topK;
/** A filter that leaves at most this share of the items is answered by scanning what it leaves. */
const selectiveShare = 0.1;
const alwaysScannable = 2000;
/** Queries for more do not share a scan. */
const sharedTopK = 256;
/** At 10,000 items; about where a graph search costs as much as a scan. */
const widestSearch = 4096;

export interface Found {
  hits: Hit[];
  plan: SearchResult["plan"];
}

/**
 * Whether a query asks for nothing but the nearest, and not for many of them: such queries can
 * share a scan. As many as one asks for are nominated for all: one for 10,000 of 9,000 items and
 * seven for 10 took 32 ms together, 6 ms apart.
 */
export function isPlain({
  topK,
  recall,
  filter,
  modality,
  after,
  centering,
}: CoreQuery | PlannedQuery): boolean {
  return (
    topK <= sharedTopK &&
    recall !== "exact" &&
    [filter, modality, after, centering].every((option) => option === undefined)
  );
}

/** `search` for several queries; the plain ones among them share a scan where scans answer them. */
export function searchAll(
  index: CollectionIndex,
  items: ItemRows,
  collection: number,
  queries: readonly PlannedQuery[],
): Found[] {
  const { table } = index;
  const tops = queries.map((query) =>
    isPlain(query) && scansInBits(index, query.recall) ? new TopK(query.topK, query) : undefined,
  );
  const scans = queries.flatMap(({ vector }, i) =>
    tops[i] === undefined ? [] : [{ vector, top: tops[i] }],
  );
  if (scans.length > 0) scanQuantized(table, scans);
  return queries.map((query, i) => {
    const top = tops[i];
    return top === undefined
      ? search(index, items, collection, query)
      : { hits: top.sorted(), plan: "scan" };
  });
}

/** Whether everything is scanned in 8 bits when nothing else of the query speaks against it. */
function scansInBits({ table, cover, limits }: CollectionIndex, recall: Recall): boolean {
  if (table.length <= withoutCopy) return false;
  return cover === undefined || (recall === "high" && table.live <= limits.scanHighUpTo);
}

/**
 * Scan or graph, by size and filter:
 *
 * - `recall: "exact"`, later pages and centring are scanned in float32;
 * - a filter that leaves few items: those are scanned in float32;
 * - `high` up to a million or two, and collections without a graph, are scanned in 8 bits, and
 *   float32 decides; what does not fulfil a mild filter is passed over;
 * - a mild filter: the graph is asked for more, best candidates are tested first, and the width
 *   grows until enough pass;
 * - otherwise the graph nominates and float32 decides. Rows that are not in the graph yet are
 *   scanned beside it.
 */
function search(
  index: CollectionIndex,
  items: ItemRows,
  collection: number,
  query: PlannedQuery,
): Found {
  const { table } = index;
  const newTop = () => new TopK(query.topK, query);
  const scan = () => {
    const top = newTop();
    if (query.centering !== undefined) {
      const { queryMean, means } = query.centering;
      scanCentered(
        table,
        centered(query.vector, queryMean),
        means,
        top,
        positions() ?? range(0, table.length),
      );
    } else {
      const some = positions();
      if (some === undefined) scanAll(table, query.vector, top);
      else scanSome(table, query.vector, top, some);
    }
    return { hits: top.sorted(), plan: "exact" as const };
  };
  const positions = (): Iterable<number> | undefined => {
    if (query.filter !== undefined) {
      return ofModality(
        index,
        query.modality,
        filteredPositions(index, items, collection, query.filter),
      );
    }
    return query.modality === undefined
      ? undefined
      : ofModality(index, query.modality, range(0, table.length));
  };

  const { recall } = query;
  const { cover } = index;
  if (recall === "exact" || query.after !== undefined || query.centering !== undefined)
    return scan();
  const rest = cover === undefined ? 0 : table.length - cover.upTo;
  if (query.filter !== undefined) {
    const few = Math.max(alwaysScannable, selectiveShare * table.live);
    if (
      rest > alwaysScannable ||
      filteredPositions(index, items, collection, query.filter, few) !== undefined
    )
      return scan();
  }

  const admits = (position: number) => {
    if (query.modality !== undefined && table.modality(position) !== query.modality) return false;
    if (query.filter === undefined) return true;
    const { metadata, ...facts } = items.neighbor(table.row(position));
    const modality = modalities[table.modality(position)];
    return matchFilter(query.filter, JSON.parse(metadata), { ...facts, modality });
  };
  const scanBits = () => {
    const top = newTop();
    scanQuantized(table, [{ vector: query.vector, top, admits }]);
    return { hits: top.sorted(), plan: "scan" as const };
  };
  if (scansInBits(index, recall)) {
    if (
      query.modality !== undefined &&
      table.countOf(query.modality) <= selectiveShare * table.live
    )
      return scan();
    return scanBits();
  }
  if (cover === undefined) return scan();
  const restricted = query.filter !== undefined || query.modality !== undefined;
  const liveShare = Math.max(0.1, 1 - cover.dead / cover.graph.size);
  // Deep answers need a search that is wider than they are long.
  const growth = Math.max(1, table.live / 10_000) ** efSearchGrowth;
  let width = Math.max(Math.ceil(efSearchAt10k[recall] * growth), Math.ceil(query.topK * 1.5));
  for (; width <= Math.max(widestSearch * growth, query.topK * 2); width *= 4) {
    const wide = Math.ceil(width / liveShare);
    const nominated = cover.graph.search(
      query.vector,
      wide,
      restricted ? wide : Math.ceil(rerank(query.topK) / liveShare),
    );
    const rows = nominated.reduce((sum, group) => sum + group.length, 0);
    // So many copies that comparing with each costs as much as a scan.
    if (rows > width + table.live / 4) return restricted ? scan() : scanBits();
    const groupOf = new Map<number, number>();
    const top = new TopK(restricted ? Math.max(1, rows + rest) : query.topK, query);
    for (const [group, members] of nominated.entries()) {
      for (const row of members) {
        const position = table.positionOf(row);
        if (position !== undefined) top.offer(table.dot(position, query.vector), row, position);
        if (members.length > 1) groupOf.set(row, group);
      }
    }
    if (restricted) scanSome(table, query.vector, top, range(cover.upTo, table.length));
    else scanAll(table, query.vector, top, cover.upTo);
    const ranked = top.sorted();
    if (!restricted) {
      // Too few only when deleted rows were nominated instead: look wider.
      const enough =
        query.minSimilarity !== undefined || ranked.length >= Math.min(query.topK, table.live);
      if (enough) return { hits: ranked, plan: "graph" };
      continue;
    }
    const hits: Hit[] = [];
    const seen = new Set<number>();
    for (const hit of ranked) {
      if (hits.length === query.topK) break;
      seen.add(groupOf.get(hit.row) ?? -hit.row);
      if (admits(hit.position)) hits.push(hit);
    }
    // What lies at the far end of the nominated is found less surely: be content only with its
    // first quarter.
    const depth = (nominated.length + rest) / 4;
    if (hits.length === query.topK && seen.size <= Math.max(query.topK, depth))
      return { hits, plan: "graph" };
  }
  return scan();
}

function* ofModality(
  index: CollectionIndex,
  modality: number | undefined,
  positions: Iterable<number>,
): Iterable<number> {
  for (const position of positions) {
    if (modality === undefined || index.table.modality(position) === modality) yield position;
  }
}

/** Answers of the last filters: a page or a batch of queries asks for the same ones again. */
const remembered = new WeakMap<
  CollectionIndex,
  { version: number; positions: Map<string, Uint32Array> }
>();
const rememberedFilters = 16;

function filteredPositions(
  index: CollectionIndex,
  items: ItemRows,
  collection: number,
  filter: Filter,
): Uint32Array;
function filteredPositions(
  index: CollectionIndex,
  items: ItemRows,
  collection: number,
  filter: Filter,
  limit: number,
): Uint32Array | undefined;
/** Positions that fulfil a filter; undefined when they are more than `limit`. */
function filteredPositions(
  index: CollectionIndex,
  items: ItemRows,
  collection: number,
  filter: Filter,
  limit?: number,
) {
  let memory = remembered.get(index);
  if (memory === undefined || memory.version !== index.version) {
    memory = { version: index.version, positions: new Map() };
    remembered.set(index, memory);
  }
  const key = JSON.stringify(filter);
  let positions = memory.positions.get(key);
  if (positions === undefined) {
    const rows = items.rowsOfFilter(
      collection,
      filter,
      limit === undefined ? -1 : Math.floor(limit) + 1,
    );
    if (limit !== undefined && rows.length > limit) return undefined;
    positions = Uint32Array.from(rows, (row) => index.table.positionOf(row) as number);
    if (memory.positions.size >= rememberedFilters) memory.positions.clear();
    memory.positions.set(key, positions);
  }
  return limit !== undefined && positions.length > limit ? undefined : positions;
}
