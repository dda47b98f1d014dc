import { AppError, invalidInput } from "../../errors.js";
import { bytesPerNeighbor, tooLargeAnswer } from "../answer-size.js";
import { checkSpace } from "../check-space.js";
import type { CoreQuery, CoreResult } from "../core-query.js";
import type { CollectionIndex } from "./collection-index.js";
import type { CollectionRow, CollectionRows } from "./collection-rows.js";
import type { IndexKeeper } from "./index-keeper.js";
import type { ItemRows } from "./item-rows.js";
import { readMeans } from "./modality-means.js";
import type { PlannedQuery } from "./search.js";
import { searchAll } from "./search-plan.js";
import type { Answerer } from "./search-queue.js";
import type { Database } from "./sqlite.js";

/**
 * The most queries answered and comparisons made in one go: about 20 ms.
 */
const maxQueries = 8;
const maxComparisons = 2_000_000;

/** Answers the groups of the search queue. */
export function searchAnswerer(
  db: Database,
  collections: CollectionRows,
  items: ItemRows,
  indexes: IndexKeeper,
): Answerer {
  const answer: Answerer["answer"] = (name, queries) => {
    try {
      const row = collections.get(name);
      for (const { space } of queries) if (space !== undefined) checkSpace(row, space);
      const wanted = queries.map(({ query }) => query);
      const maxBytes = queries.map((one) => one.maxBytes);
      return answerQueries(db, items, row, indexes.of(row), { queries: wanted, maxBytes });
    } catch (error) {
      // One query's error must not affect another: each is answered alone, and fails alone.
      if (queries.length > 1) return queries.flatMap((one) => answer(name, [one]));
      return [error instanceof Error ? error : new Error(String(error))];
    }
  };
  return {
    groupSize(name) {
      const { table } = indexes.of(collections.get(name));
      return Math.max(
        1,
        Math.min(maxQueries, Math.floor(maxComparisons / Math.max(1, table.length))),
      );
    },
    answer,
  };
}

/**
 * Queries from their wire form to their neighbours: an item's id becomes its vector, centring gets
 * the current means.
 * @throws AppError not_found (the item), invalid_input (the vector's size).
 */
function answerQueries(
  db: Database,
  items: ItemRows,
  row: CollectionRow,
  index: CollectionIndex,
  { queries, maxBytes }: { queries: readonly CoreQuery[]; maxBytes: readonly number[] },
): CoreResult[] {
  const planned = queries.map((query) => plannedQuery(db, items, row, index, query));
  return searchAll({ index, items, collection: row.collection }, planned).map(
    ({ hits: found, plan }, i) => {
      const { topK } = queries[i];
      const hits = found.filter(({ position }) => position !== planned[i].self).slice(0, topK);
      const last = hits.length === topK ? hits[hits.length - 1] : undefined;
      let bytes = 0;
      const neighbors = hits.map(({ row: number, position, similarity }) => {
        const neighbor = items.neighbor(number);
        const { id, metadata, source, text, media } = neighbor;
        bytes += bytesPerNeighbor + id.length + metadata.length + (source?.length ?? 0);
        bytes += text?.length ?? 0;
        if (bytes > maxBytes[i]) throw tooLargeAnswer();
        return {
          id,
          metadata,
          source,
          text,
          media,
          similarity: Math.max(-1, Math.min(1, similarity)),
          modality: index.table.modality(position),
        };
      });
      return {
        plan,
        bytes,
        last: last && { similarity: last.similarity, row: last.row },
        neighbors,
      };
    },
  );
}

/** @returns `self`: the position of the query item. */
function plannedQuery(
  db: Database,
  items: ItemRows,
  row: CollectionRow,
  index: CollectionIndex,
  query: CoreQuery,
): PlannedQuery & { self: number | undefined } {
  const { collection, dimensions } = row;
  const self = query.itemId === undefined ? undefined : positionOf(items, row, index, query.itemId);
  const vector = self === undefined ? query.embedding : index.table.vector(self);
  if (vector?.length !== dimensions) {
    throw invalidInput(
      "embedding",
      `Expected ${dimensions} numbers as query but received ${vector?.length}`,
    );
  }
  const modality = self === undefined ? query.centering?.queryModality : index.table.modality(self);
  const centering = query.centering && centeringOf(db, collection, modality);
  const topK = self === undefined ? query.topK : query.topK + 1; // an item is not its own neighbour
  return { ...query, vector: vector.slice(), topK, centering, self };
}

function positionOf(
  items: ItemRows,
  { collection, name }: CollectionRow,
  index: CollectionIndex,
  id: string,
): number {
  const [row] = items.rowsOfIds(collection, [id]);
  if (row === undefined) {
    throw new AppError("not_found", `There is no item "${id}" in the collection "${name}"`, {
      param: "item_id",
    });
  }
  return index.table.positionOf(row) as number;
}

/** @param modality  the query's; without it the query is unchanged. */
function centeringOf(
  db: Database,
  collection: number,
  modality: number | undefined,
): PlannedQuery["centering"] {
  const means = new Map(
    [...readMeans(db, collection)].map(([of, { count, sum }]) => [of, sum.map((x) => x / count)]),
  );
  return { queryMean: modality === undefined ? undefined : means.get(modality), means };
}
