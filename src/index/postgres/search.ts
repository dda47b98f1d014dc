import { AppError } from "../../errors.js";
import { bytesPerNeighbor, tooLargeAnswer } from "../answer-size.js";
import type { CoreQuery, CoreResult } from "../core-query.js";
import { modalities } from "../modalities.js";
import type { CollectionRow } from "./collection-rows.js";
import type { Connection } from "./connections.js";
import { type CopiesOfServer, searchCopy } from "./copies/copy-search.js";
import { joinedMedia, mediaColumns, mediaOf } from "./media.js";
import { countsByModality, readMeans } from "./modality-means.js";
import {
  type PlannedQuery,
  type Statement,
  sampleMatches,
  scanAll,
  scanMatches,
  searchGraph,
} from "./search-statements.js";
import { floatsOf } from "./vector-bytes.js";

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

interface Found {
  hits: { seq: number; similarity: number }[];
  plan: CoreResult["plan"];
}

/** A filter that matches at most this share of the items is answered by scanning the matches. */
const selectiveShare = 0.1;
/** The same where there is a copy, which needs more rounds the fewer match. */
const selectiveShareForCopy = 0.02;
const fewForCopy = 2000;
/** Up to this many items the copy answers `fast` too, sooner than the graph. */
const fastByCopyUpTo = 250_000;
/** A graph is asked for no more: what it nominates is twice as many. */
const maxGraphTopK = 400;
const neighborsAtOnce = 100;
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
 * Answers queries in the caller's transaction.
 * @throws AppError not_found (the item), too_large.
 */
export async function answerQueries(
  db: Connection,
  collection: CollectionRow,
  queries: readonly CoreQuery[],
  options: SearchMeans & { maxBytes?: number },
): Promise<CoreResult[]> {
  const results: CoreResult[] = [];
  let bytesLeft = options.maxBytes ?? Number.POSITIVE_INFINITY;
  for (const [i, query] of queries.entries()) {
    try {
      const planned = await plannedQuery(db, collection, query);
      const found = await find(db, collection, planned, options);
      const result = await withNeighbors(db, collection, planned.topK, found, bytesLeft);
      bytesLeft -= result.bytes;
      results.push(result);
    } catch (error) {
      const isOfOne = error instanceof AppError && error.code === "not_found";
      throw isOfOne && queries.length > 1 ? error.within(`queries[${i}]`) : error;
    }
  }
  return results;
}

async function plannedQuery(
  db: Connection,
  { n, name }: CollectionRow,
  query: CoreQuery,
): Promise<PlannedQuery> {
  let vector = query.embedding as Float32Array;
  let self: number | undefined;
  let queryModality = query.centering?.queryModality;
  if (query.itemId !== undefined) {
    const { rows } = await db.query(
      `select v.seq, v.modality, vector_send(v.embedding) as embedding
       from crossmodal.items_${n} i join crossmodal.vectors_${n} v using (seq) where i.id = $1`,
      [query.itemId],
    );
    if (rows.length === 0) {
      const message = `There is no item "${query.itemId}" in the collection "${name}"`;
      throw new AppError("not_found", message, { param: "item_id" });
    }
    [{ seq: self, modality: queryModality }] = rows;
    vector = floatsOf(rows[0].embedding);
  }
  if (query.centering === undefined) return { ...query, vector, self };
  const all = await readMeans(db, n);
  return {
    ...query,
    vector,
    self,
    means: {
      ofQuery: queryModality === undefined ? undefined : all.get(queryModality),
      byModality: all,
    },
  };
}

/**
 * Scan, copy or graph, by size and filter:
 *
 * - `recall: "exact"`, later pages, centring and many neighbours are scanned;
 * - a filter or modality that leaves few items: those are scanned;
 * - the copy in 8 bits answers where this server has one;
 * - `high` scans collections that are not large, and so does everything without a graph;
 * - otherwise the graph is searched; where it finds too few, everything is scanned after all.
 */
async function find(
  db: Connection,
  collection: CollectionRow,
  query: PlannedQuery,
  { limits: { scanMatchesUpTo, scanHighUpTo }, copiesOfServer }: SearchMeans,
): Promise<Found> {
  const { n, dimensions, graph } = collection;
  if (query.means?.byModality.size === 0) return { hits: [], plan: "exact" };
  const exact = () =>
    query.filter === undefined
      ? scanAll(n, query)
      : scanMatches(n, query, Number.POSITIVE_INFINITY);
  const scanned = async (): Promise<Found> => ({ hits: await hitsOf(db, exact()), plan: "exact" });
  const { recall, after, means, filter, modality, topK } = query;
  const needsScan =
    recall === "exact" || after !== undefined || means !== undefined || topK > maxGraphTopK;
  if (needsScan) return scanned();

  const { copies } = copiesOfServer;
  const copy = copies.of(n);
  // How many there are the copy knows, nearly enough.
  const asksCopy = copy !== undefined && modality === undefined;
  const counts = asksCopy ? {} : await countsByModality(db, n);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0) || (copy?.rows ?? 0);
  if (copy === undefined) copies.ask(collection, all);
  const hasCopy = copy !== undefined && (recall === "high" || all <= fastByCopyUpTo);
  if (graph !== "ready" && !hasCopy) return scanned();
  const few = hasCopy
    ? Math.max(Math.min(scanMatchesUpTo, fewForCopy), Math.floor(selectiveShareForCopy * all))
    : Math.max(scanMatchesUpTo, Math.floor(selectiveShare * all));
  const isMild = async () => !hasCopy && (await leavesMany(db, n, query, { all, few }));
  if (filter !== undefined && !(await isMild())) {
    const { rows } = await db.query(scanMatches(n, query, few));
    if (rows[0].matches <= few)
      return { hits: rows.filter(({ seq }) => seq !== null), plan: "exact" };
  } else if (filter === undefined && modality !== undefined) {
    if ((counts[modalities[modality]] ?? 0) <= few) return scanned();
  }
  const found = hasCopy ? await searchCopy(db, collection, query, copiesOfServer) : undefined;
  if (found !== undefined) return { hits: found, plan: "scan" };
  if (graph !== "ready" || (recall === "high" && filter === undefined && all <= scanHighUpTo))
    return scanned();
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
  const hits = await hitsOf(db, searchGraph(n, dimensions, nearest, nominated + 2 * topK));
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

async function hitsOf(db: Connection, statement: Statement): Promise<Found["hits"]> {
  const { rows } = await db.query(statement);
  return rows.filter(({ seq }) => seq !== null);
}

/** What is found with its metadata, read in pieces so that a large answer is noticed in time. */
async function withNeighbors(
  db: Connection,
  { n }: CollectionRow,
  topK: number,
  { hits, plan }: Found,
  maxBytes: number,
): Promise<CoreResult> {
  const neighbors: CoreResult["neighbors"] = [];
  let bytes = 0;
  for (let from = 0; from < hits.length; from += neighborsAtOnce) {
    const some = hits.slice(from, from + neighborsAtOnce);
    const { rows } = await db.query(
      `select id, modality, metadata::text, source, text, ${mediaColumns}
       from unnest($1::bigint[]) with ordinality wanted (seq, place)
         join crossmodal.items_${n} i on i.seq = wanted.seq ${joinedMedia(n)} order by place`,
      [some.map(({ seq }) => seq)],
    );
    for (const [i, row] of rows.entries()) {
      const { id, modality, metadata, source, text } = row;
      bytes += bytesPerNeighbor + id.length + metadata.length + (source?.length ?? 0);
      bytes += text?.length ?? 0;
      if (bytes > maxBytes) throw tooLargeAnswer();
      const similarity = Math.max(-1, Math.min(1, some[i].similarity));
      neighbors.push({ id, modality, metadata, source, text, similarity, media: mediaOf(row) });
    }
  }
  const last = hits.length === topK ? hits.at(-1) : undefined;
  return {
    neighbors,
    bytes,
    plan,
    last: last && { similarity: last.similarity, row: last.seq },
  };
}
