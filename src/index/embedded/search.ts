import type { CoreQuery } from "../core-query.js";
import { matchFilter } from "../match-filter.js";
import { modalities } from "../modalities.js";
import type { SearchResult } from "../query.js";
import type { Hit } from "../top-k.js";
import type { CollectionIndex } from "./collection-index.js";
import type { ItemRows } from "./item-rows.js";

/** A query whose vectors have been looked up. */
export interface PlannedQuery extends Omit<CoreQuery, "embedding" | "itemId" | "centering"> {
  vector: Float32Array;
  centering?: { queryMean: ArrayLike<number> | undefined; means: Map<number, ArrayLike<number>> };
}

/** The collection that a query searches. */
export interface Search {
  index: CollectionIndex;
  items: ItemRows;
  /** Its number in the database. */
  collection: number;
}

export interface Found {
  hits: Hit[];
  plan: SearchResult["plan"];
}

/** Whether the item at a position has the query's modality and matches its filter. */
export function admits({ index, items }: Search, query: PlannedQuery, position: number): boolean {
  const { table } = index;
  if (query.modality !== undefined && table.modality(position) !== query.modality) return false;
  if (query.filter === undefined) return true;
  const { metadata, ...facts } = items.neighbor(table.row(position));
  const modality = modalities[table.modality(position)];
  return matchFilter(query.filter, JSON.parse(metadata), { ...facts, modality });
}
