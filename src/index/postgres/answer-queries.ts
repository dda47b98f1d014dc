import { AppError } from "../../errors.js";
import type { CoreQuery, CoreResult } from "../core-query.js";
import type { CollectionRow } from "./collection-rows.js";
import type { Connection } from "./connections.js";
import { type Hit, readHits, readItems } from "./hits.js";
import { readMeans } from "./modality-means.js";
import { answerOf } from "./neighbors.js";
import { find, type SearchMeans } from "./search-plan.js";
import type { PlannedQuery, Statement } from "./search-statements.js";
import { floatsOf } from "./vector-bytes.js";

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
  const { n } = collection;
  const results: CoreResult[] = [];
  // A statement has the items of its hits with them, unless these are many.
  const itemsOf = async (some: Hit[]) => ("id" in some[0] ? some : readItems(db, n, some));
  let bytesLeft = options.maxBytes ?? Number.POSITIVE_INFINITY;
  for (const [i, query] of queries.entries()) {
    try {
      const planned = await plannedQuery(db, collection, query);
      const { topK } = planned;
      const read = (...args: [Statement, string?]) => readHits(db, { n, topK }, ...args);
      const found = await find(db, read, collection, planned, options);
      const result = await answerOf(found, { topK, maxBytes: bytesLeft }, itemsOf);
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
