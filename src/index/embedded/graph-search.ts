import { type Hit, TopK } from "../top-k.js";
import { range, scanAll, scanSome } from "./exact-scan.js";
import { scanBits } from "./full-scans.js";
import { admits, type Found, type PlannedQuery, type Search } from "./search.js";

/**
 * Width of the graph search at 10,000 items, chosen by the recall of cross-modal queries, and the
 * exponent with which it must grow with size for the same recall (192 -> 768 from 10,000 to
 * 100,000: docs/decisions/0010-usearch.md).
 */
const efSearchAt10k = { high: 192, fast: 64 };
const efSearchGrowth = 0.6;
/** At 10,000 items; about where a graph search costs as much as a scan. */
const maxWidthAt10k = 4096;
/**
 * How many nominated rows float32 ranks again: int8 puts nearly all of the true first K among the
 * first 4 K.
 */
const rerank = (topK: number) => 40 + 6 * topK;

/**
 * The graph nominates and float32 decides; rows that are not in the graph yet are scanned too. With
 * a filter or a modality the graph returns more, the best candidates are tested first, and the
 * width grows until enough match.
 * @returns undefined when even the widest search finds too few.
 */
export function searchGraph(
  search: Search,
  query: PlannedQuery & { recall: keyof typeof efSearchAt10k },
): Found | undefined {
  const { table, cover } = search.index;
  if (cover === undefined) return undefined;
  const { vector, topK, recall } = query;
  const rest = table.length - cover.upTo;
  const restricted = query.filter !== undefined || query.modality !== undefined;
  const liveShare = Math.max(0.1, 1 - cover.dead / cover.graph.size);
  // Long answers need a search wider than their length.
  const growth = Math.max(1, table.live / 10_000) ** efSearchGrowth;
  let width = Math.max(Math.ceil(efSearchAt10k[recall] * growth), Math.ceil(topK * 1.5));
  for (; width <= Math.max(maxWidthAt10k * growth, topK * 2); width *= 4) {
    const wide = Math.ceil(width / liveShare);
    const wanted = restricted ? wide : Math.ceil(rerank(topK) / liveShare);
    const nominated = cover.graph.search(vector, wide, wanted);
    const rows = nominated.reduce((sum, group) => sum + group.length, 0);
    // With so many copies, comparing with each costs as much as a scan.
    if (rows > width + table.live / 4) return restricted ? undefined : scanBits(search, query);
    const groupOf = new Map<number, number>();
    const top = new TopK(restricted ? Math.max(1, rows + rest) : topK, query);
    for (const [group, members] of nominated.entries()) {
      for (const row of members) {
        const position = table.positionOf(row);
        if (position !== undefined) top.offer(table.dot(position, vector), row, position);
        if (members.length > 1) groupOf.set(row, group);
      }
    }
    if (restricted) scanSome(table, vector, top, range(cover.upTo, table.length));
    else scanAll(table, vector, top, cover.upTo);
    const ranked = top.sorted();
    if (!restricted) {
      // Too few because deleted rows were nominated: search wider.
      const isEnough =
        query.minSimilarity !== undefined || ranked.length >= Math.min(topK, table.live);
      if (isEnough) return { hits: ranked, plan: "graph" };
      continue;
    }
    const hits: Hit[] = [];
    const tested = new Set<number>();
    for (const hit of ranked) {
      if (hits.length === topK) break;
      tested.add(groupOf.get(hit.row) ?? -hit.row);
      if (admits(search, query, hit.position)) hits.push(hit);
    }
    // The far end of the nominees is less reliable: use only the first quarter.
    const depth = (nominated.length + rest) / 4;
    if (hits.length === topK && tested.size <= Math.max(topK, depth))
      return { hits, plan: "graph" };
  }
  return undefined;
}
