import { dot } from "../../math/vector.js";
import { centered } from "../centered.js";
import type { CoreQuery, Rank } from "../core-query.js";
import type { Filter } from "../filter.js";
import { type Bind, binding } from "./bind.js";
import { changesSince } from "./copies/vector-log.js";
import { filterCondition } from "./filter-condition.js";
import { vectorBytes } from "./vector-bytes.js";

/** A query whose item, if it was asked by one, has been looked up. */
export interface PlannedQuery extends CoreQuery {
  vector: Float32Array;
  /** `seq` of the item that is searched by, which is not its own neighbour. */
  self?: number;
  /** Of a centred query: the mean of its own modality, and of each modality by its number. */
  means?: { ofQuery: Float64Array | undefined; byModality: Map<number, Float64Array> };
}

export interface Statement {
  /** Under which it is prepared: the same text each time. */
  name?: string;
  text: string;
  values: unknown[];
}

/** What finds (seq, similarity), best first, among equals the oldest first. */
const ranked = (from: string, topK: number | string) =>
  `select seq, similarity from ${from} order by similarity desc, seq limit ${topK}`;

/** Compares with every vector that has the query's modality, in float32. */
export function scanAll(n: number, query: PlannedQuery): Statement {
  const { values, bind } = binding();
  const scored = scoredVectors(`crossmodal.vectors_${n}`, query, bind);
  return { text: ranked(scored, query.topK), values };
}

/**
 * Compares with every vector that fulfils the filter, unless these are more than `maxMatches`.
 * Rows have `matches`, at most one more than `maxMatches`; where there are too many, or none, the
 * only row has no seq.
 */
export function scanMatches(n: number, query: PlannedQuery, maxMatches: number): Statement {
  const { values, bind } = binding();
  const matching = matchingItems(n, query, bind);
  const limit = Number.isFinite(maxMatches) ? `limit ${maxMatches + 1}` : "";
  const vectors = `(select v.* from matching m join crossmodal.vectors_${n} v using (seq))`;
  const scored = scoredVectors(vectors, query, bind);
  const isFew = Number.isFinite(maxMatches) ? `counted.matches <= ${maxMatches}` : "true";
  const text = `with matching as materialized (${matching} ${limit}),
    counted as (select count(*) as matches from matching)
    select counted.matches, best.seq, best.similarity from counted left join lateral (
      ${ranked(`${scored} where ${isFew}`, query.topK)}
    ) best on true order by best.similarity desc, best.seq`;
  return { text, values };
}

/**
 * The graph nominates by half-precision vectors, float32 decides; what is not in the graph yet is
 * compared as well.
 */
export function searchGraph(
  n: number,
  dimensions: number,
  query: PlannedQuery,
  nominated: number,
): Statement {
  const { values, bind } = binding();
  const half = `halfvec(${dimensions})`;
  const near = `(v.embedding::${half}) <#> ${bind(vectorBytes(query.vector))}::vector::${half}`;
  const conditions: string[] = [];
  if (query.modality !== undefined) conditions.push(`v.modality = ${query.modality}`);
  if (query.filter !== undefined) conditions.push(fulfils(n, query.filter, bind));
  const where = ["", ...conditions].join(" and ");
  const vectors = `(select * from near union all
    select v.* from crossmodal.vectors_${n} v where v.tail${where})`;
  const text = `with near as materialized (
      select v.* from crossmodal.vectors_${n} v where not v.tail${where}
      order by ${near} limit ${nominated}
    ) ${ranked(scoredVectors(vectors, { ...query, modality: undefined }, bind), query.topK)}`;
  return { text, values };
}

/** What a copy of the vectors (copies/) says about a query. */
export interface Nominated {
  seqs: Iterable<number>;
  /** What the copy has seen, as `vector-log.ts` has it. */
  snapshot: string;
}

/**
 * Compares with what a copy has nominated, and with what has changed since, if that is no more than
 * `maxChanged`; of these with what fulfils the query's conditions. The first row, and the only one
 * where nothing is found, has `changed`, an array: more than `maxChanged`, or null among them, when
 * it is not known what has changed.
 */
export function rankNominated(
  n: number,
  query: PlannedQuery,
  { seqs, snapshot }: Nominated,
  maxChanged: number,
): Statement {
  const { values, bind } = binding();
  const changes = changesSince(n, bind(snapshot), maxChanged + 1);
  const from = `(select unnest(${bind([...seqs])}::bigint[]) union select seq from changes)`;
  // As a value, not as a condition that the planner may begin with: it believes in few matches.
  const where =
    query.filter === undefined
      ? ""
      : `where (select ${filterCondition(query.filter, bind)}
           from crossmodal.items_${n} i where i.seq = v.seq)`;
  const vectors = `(select v.* from ${from} wanted (seq)
    join crossmodal.vectors_${n} v using (seq) ${where})`;
  const scored = `${scoredVectors(vectors, query, bind)} where changed.count <= ${maxChanged}`;
  const text = `with changes as materialized (${changes}),
    changed as (select count(*) as count, json_agg(seq) as seqs from changes)
    select case when row_number() over (order by best.similarity desc, best.seq) = 1
      then changed.seqs end as changed, best.seq, best.similarity
    from changed left join lateral (
      ${ranked(scored, `${bind(query.topK)}::int`)}
    ) best on true`;
  const { modality, minSimilarity, filter, self } = query;
  // Planning it takes as long as running it. Filters are too many to keep their plans.
  if (filter !== undefined || self !== undefined) return { text, values };
  const name = `nominated_${n}_${modality ?? "any"}_${minSimilarity === undefined ? "all" : "min"}`;
  return { name, text, values };
}

/** How many of a random share of the items (by pages) fulfil the filter. */
export function sampleMatches(n: number, query: PlannedQuery, share: number): Statement {
  const { values, bind } = binding();
  const condition = filterCondition(query.filter ?? { and: [] }, bind);
  const percent = Math.min(100, 100 * share);
  const text = `select count(*) filter (where ${condition}) as matches, count(*) as sampled
    from crossmodal.items_${n} tablesample system (${percent})`;
  return { text, values };
}

/** Whether the item of a vector `v` fulfils a filter. */
const fulfils = (n: number, filter: Filter, bind: Bind): string =>
  `exists (select from crossmodal.items_${n} i
     where i.seq = v.seq and ${filterCondition(filter, bind)})`;

const matchingItems = (n: number, { filter, modality }: PlannedQuery, bind: Bind): string => {
  const conditions = filter === undefined ? [] : [filterCondition(filter, bind)];
  if (modality !== undefined) conditions.push(`modality = ${modality}`);
  return `select seq from crossmodal.items_${n} where ${conditions.join(" and ") || "true"}`;
};

/** Vectors with their similarity, of those that the query's own conditions admit. */
function scoredVectors(from: string, query: PlannedQuery, bind: Bind): string {
  const { modality, self, minSimilarity, after } = query;
  const [similarity, joined] = similarityOf(query, bind);
  const inside: string[] = [];
  if (modality !== undefined) inside.push(`v.modality = ${modality}`);
  if (self !== undefined) inside.push(`v.seq <> ${self}`);
  const outside: string[] = [];
  if (minSimilarity !== undefined) outside.push(`similarity >= ${bind(minSimilarity)}::float8`);
  if (after !== undefined) outside.push(isAfter(after, bind));
  const scored = `(select v.seq, ${similarity} as similarity from ${from} v ${joined}
    ${whereAll(inside)}) scored`;
  return outside.length === 0 ? scored : `(select * from ${scored} ${whereAll(outside)}) admitted`;
}

const whereAll = (conditions: readonly string[]) =>
  conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;

const isAfter = ({ similarity, row }: Rank, bind: Bind) =>
  `(similarity, -seq) < (${bind(similarity)}::float8, ${bind(-row)}::bigint)`;

/**
 * The similarity as an expression, and what has to be joined for it. `<#>` is the negative inner
 * product. Centred (embedded/centered-scan.ts has the formula):
 *
 *   (q' · x - q' · m) / |x - m|,   |x - m|² = 1 - 2 x·m + |m|²
 */
function similarityOf(query: PlannedQuery, bind: Bind): [expression: string, joined: string] {
  const { vector, means } = query;
  if (means === undefined) return [`-(v.embedding <#> ${bind(vectorBytes(vector))}::vector)`, ""];
  const from = centered(vector, means.ofQuery);
  const rows = [...means.byModality].map(([modality, mean]) => {
    const numbers = [dot(from, mean), dot(mean, mean)].map((x) => `${bind(x)}::float8`);
    const center = `${bind(vectorBytes(Float32Array.from(mean)))}::vector`;
    return `(${modality}::smallint, ${center}, ${numbers.join(", ")})`;
  });
  const square = "1 + 2 * (v.embedding <#> c.mean) + c.mean_square";
  const inner = `-(v.embedding <#> ${bind(vectorBytes(from))}::vector)`;
  return [
    `case when ${square} < 1e-6 then 0 else (${inner} - c.query_part) / sqrt(${square}) end`,
    `join (values ${rows.join(", ")}) c (modality, mean, query_part, mean_square) using (modality)`,
  ];
}
