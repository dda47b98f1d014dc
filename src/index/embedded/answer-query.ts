import { AppError } from "../../errors.js";
import type { CollectionIndex } from "./collection-index.js";
import type { CollectionRow } from "./collection-rows.js";
import type { CoreQuery, CoreResult } from "./core-types.js";
import type { ItemRows } from "./item-rows.js";
import { readMeans } from "./modality-means.js";
import { type PlannedQuery, search } from "./search-plan.js";
import type { Database } from "./sqlite.js";

/**
 * One query from its wire form to its neighbours: an item's id becomes its vector, centring gets the means as they stand.
 * @throws AppError not_found (the item), invalid_input (the vector's size).
 */
export function answerQuery(
  db: Database,
  items: ItemRows,
  row: CollectionRow,
  index: CollectionIndex,
  query: CoreQuery,
): CoreResult {
  const { collection, dimensions } = row;
  const self = query.itemId === undefined ? undefined : positionOf(items, row, index, query.itemId);
  const vector = self === undefined ? query.embedding : index.table.vector(self);
  if (vector?.length !== dimensions) {
    throw new AppError("invalid_input", `Expected ${dimensions} numbers as query but received ${vector?.length}`, {
      param: "embedding",
    });
  }
  const ownModality = self === undefined ? query.centering?.queryModality : index.table.modality(self);
  const centering = query.centering && centeringOf(db, collection, query.centering.queryMean, ownModality);
  const topK = self === undefined ? query.topK : query.topK + 1; // an item is not its own neighbour
  const found = search(index, items, collection, { ...query, vector: vector.slice(), topK, centering });
  const hits = found.hits.filter(({ position }) => position !== self).slice(0, query.topK);
  const last = hits.length === query.topK ? hits[hits.length - 1] : undefined;
  return {
    plan: found.plan,
    last: last && { similarity: last.similarity, row: last.row },
    neighbors: hits.map(({ row: number, position, similarity }) => ({
      ...items.neighbor(number),
      similarity: Math.max(-1, Math.min(1, similarity)),
      modality: index.table.modality(position),
    })),
  };
}

function positionOf(items: ItemRows, { collection, name }: CollectionRow, index: CollectionIndex, id: string): number {
  const [row] = items.rowsOfIds(collection, [id]);
  if (row === undefined) {
    throw new AppError("not_found", `There is no item "${id}" in the collection "${name}"`, { param: "item_id" });
  }
  return index.table.positionOf(row) as number;
}

function centeringOf(
  db: Database,
  collection: number,
  queryMean: ArrayLike<number> | undefined,
  ownModality: number | undefined,
): PlannedQuery["centering"] {
  const means = new Map(
    [...readMeans(db, collection)].map(([modality, { count, sum }]) => [modality, sum.map((x) => x / count)]),
  );
  return { queryMean: queryMean ?? (ownModality === undefined ? undefined : means.get(ownModality)), means };
}
