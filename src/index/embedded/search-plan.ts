import type { CoreQuery } from "../core-query.js";
import type { Recall } from "../query.js";
import { TopK } from "../top-k.js";
import { type CollectionIndex, withoutCopy } from "./collection-index.js";
import { scanQuantized } from "./exact-scan.js";
import { filteredPositions } from "./filtered-positions.js";
import { scanBits, scanFloats } from "./full-scans.js";
import { searchGraph } from "./graph-search.js";
import type { Found, PlannedQuery, Search } from "./search.js";

/** A filter that matches at most this share of the items is answered by scanning the matches. */
const selectiveShare = 0.1;
const alwaysScannable = 2000;
/** Queries for more do not share a scan. */
const sharedTopK = 256;

/**
 * Whether a query asks only for the nearest, and not for many: such queries can share a scan. The
 * largest count is nominated for all: one for 10,000 of 9,000 items and seven for 10 took 32 ms
 * together, 6 ms apart.
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

/** Answers several queries; plain ones share a scan. */
export function searchAll(search: Search, queries: readonly PlannedQuery[]): Found[] {
  const { index } = search;
  const tops = queries.map((query) =>
    isPlain(query) && isScannedInBits(index, query.recall)
      ? new TopK(query.topK, query)
      : undefined,
  );
  const scans = queries.flatMap(({ vector }, i) =>
    tops[i] === undefined ? [] : [{ vector, top: tops[i] }],
  );
  if (scans.length > 0) scanQuantized(index.table, scans);
  return queries.map((query, i) => {
    const top = tops[i];
    return top === undefined ? searchOne(search, query) : { hits: top.sorted(), plan: "scan" };
  });
}

/**
 * Scan or graph, by size and filter:
 *
 * - `recall: "exact"`, later pages and centring are scanned in float32;
 * - a filter with few matches: those are scanned in float32;
 * - `high` up to a million or two, and collections without a graph, are scanned in 8 bits, and
 *   float32 decides; vectors that do not match a mild filter are skipped;
 * - otherwise the graph is searched, or all is scanned in float32 where it cannot answer.
 */
function searchOne(search: Search, query: PlannedQuery): Found {
  const { recall, filter, modality } = query;
  const { table, cover } = search.index;
  if (recall === "exact" || query.after !== undefined || query.centering !== undefined)
    return scanFloats(search, query);
  if (filter !== undefined) {
    const rest = cover === undefined ? 0 : table.length - cover.upTo;
    const few = Math.max(alwaysScannable, selectiveShare * table.live);
    if (rest > alwaysScannable || filteredPositions(search, filter, few) !== undefined)
      return scanFloats(search, query);
  }
  if (isScannedInBits(search.index, recall)) {
    const isRare = modality !== undefined && table.countOf(modality) <= selectiveShare * table.live;
    return isRare ? scanFloats(search, query) : scanBits(search, query);
  }
  return searchGraph(search, { ...query, recall }) ?? scanFloats(search, query);
}

/** Whether everything is scanned in 8 bits unless the query prevents it. */
function isScannedInBits({ table, cover, limits }: CollectionIndex, recall: Recall): boolean {
  if (table.length <= withoutCopy) return false;
  return cover === undefined || (recall === "high" && table.live <= limits.scanHighUpTo);
}
