import { modalities } from "../modalities.js";
import type { CollectionRow } from "./collection-rows.js";
import type { Connection } from "./connections.js";
import { type CopiesOfServer, searchCopy } from "./copies/copy-search.js";
import { exactly, type Found, type ReadHits } from "./hits.js";
import { countsByModality } from "./modality-means.js";
import {
  type PlannedQuery,
  type Statement,
  sampleMatches,
  scanAll,
  scanMatches,
  searchGraph,
} from "./search-statements.js";

/** Up to this many items a scan costs less than the graph. */
export interface ScanLimits {
  /** Of a filter that leaves at most so many items, or a tenth, these are scanned. */
  scanMatchesUpTo: number;
  /** Up to so many items `high` scans them although there is a graph for `fast`. */
  scanHighUpTo: number;
}

/** How this server may answer. */
export interface SearchMeans {
  limits: ScanLimits;
  copiesOfServer: CopiesOfServer;
}

/** A filter that matches at most this share of the items is answered by scanning the matches. */
const selectiveShare = 0.1;
/** A graph is asked for no more: what it nominates is twice as many. */
const maxGraphTopK = 400;
const sampledRows = 3000;

/**
 * How far the graph is searched: `efSearch` candidates at a time, until enough are nominated.
 * docs/scaling.md has what each finds.
 */
const effort = {
  fast: { efSearch: 200, nominated: 100 },
  high: { efSearch: 1000, nominated: 2000 },
  // A filter lets through at least a tenth of what is visited: 2,000 would be most of it.
  highFiltered: { efSearch: 1000, nominated: 400 },
};

/**
 * Scan, copy or graph, by size and filter:
 *
 * - `recall: "exact"`, later pages, centring and many neighbours are scanned;
 * - the copy in 8 bits answers where this server has one;
 * - a filter or modality that leaves few items: those are scanned;
 * - `high` scans collections that are not large, and so does everything without a graph;
 * - otherwise the graph is searched; where it finds too few, everything is scanned after all.
 */
export async function find(
  db: Connection,
  read: ReadHits,
  collection: CollectionRow,
  query: PlannedQuery,
  { limits, copiesOfServer }: SearchMeans,
): Promise<Found> {
  const { n, dimensions, graph } = collection;
  if (query.means?.byModality.size === 0) return { hits: [], plan: "exact" };
  const ask = async (statement: Statement) => exactly((await read(statement)) ?? []);
  const scanned = () =>
    ask(
      query.filter === undefined
        ? scanAll(n, query)
        : scanMatches(n, query, Number.POSITIVE_INFINITY),
    );
  const { recall, after, means, filter, modality, topK } = query;
  const needsScan =
    recall === "exact" || after !== undefined || means !== undefined || topK > maxGraphTopK;
  if (needsScan) return scanned();

  const byCopy = await searchCopy(read, collection, query, { ...copiesOfServer, ...limits });
  if (byCopy !== undefined) return byCopy;
  const counts = await countsByModality(db, n);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  copiesOfServer.copies.ask(collection, all);
  if (graph !== "ready") return scanned();
  const few = Math.max(limits.scanMatchesUpTo, Math.floor(selectiveShare * all));
  if (filter !== undefined && !(await leavesMany(db, n, query, { all, few }))) {
    const rows = (await read(scanMatches(n, query, few))) ?? [];
    if (rows[0].matches <= few) return exactly(rows);
  } else if (filter === undefined && modality !== undefined) {
    if ((counts[modalities[modality]] ?? 0) <= few) return scanned();
  }
  if (recall === "high" && filter === undefined && all <= limits.scanHighUpTo) return scanned();
  const level = recall === "fast" ? "fast" : filter === undefined ? "high" : "highFiltered";
  const { efSearch, nominated } = effort[level];
  // relaxed_order: strict_order throws away what it meets late (.945 of a filter's 10 % against
  // .982). The planner underestimates the cost of a float32 scan and misjudges the graph, so it is
  // not asked.
  await db.query(`set local hnsw.ef_search = ${efSearch};
    set local hnsw.iterative_scan = relaxed_order; set local hnsw.max_scan_tuples = 40000;
    set local hnsw.scan_mem_multiplier = 4; set local enable_seqscan = off;
    set local enable_bitmapscan = off; set local enable_hashjoin = off;
    set local enable_mergejoin = off`);
  const nearest = { ...query, minSimilarity: undefined };
  const { hits } = await ask(searchGraph(n, dimensions, nearest, nominated + 2 * topK));
  await db.query(`set local enable_seqscan = on; set local enable_bitmapscan = on;
    set local enable_hashjoin = on; set local enable_mergejoin = on`);
  if (hits.length < topK) return scanned();
  const { minSimilarity = -1 } = query;
  return { hits: hits.filter(({ similarity }) => similarity >= minSimilarity), plan: "graph" };
}

/**
 * Whether a filter clearly leaves more than `few`, by a sample of a large collection: counting the
 * matches up to there would cost more than the search.
 */
async function leavesMany(
  db: Connection,
  n: number,
  query: PlannedQuery,
  { all, few }: { all: number; few: number },
): Promise<boolean> {
  const isSmall = all * selectiveShare < few;
  if (isSmall) return false;
  const { matches, sampled } = (await db.query(sampleMatches(n, query, sampledRows / all))).rows[0];
  return sampled > 0 && matches / sampled > (2 * few) / all;
}
