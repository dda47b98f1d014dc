import type { Filter } from "../filter.js";
import type { CollectionIndex } from "./collection-index.js";
import type { Search } from "./search.js";

/** Results of recent filters: pages and batches of queries repeat the same ones. */
const remembered = new WeakMap<
  CollectionIndex,
  { version: number; positions: Map<string, Uint32Array> }
>();
const rememberedFilters = 16;

/** Positions that match a filter; undefined when there are more than `limit`. */
export function filteredPositions(
  search: Search,
  filter: Filter,
  limit: number,
): Uint32Array | undefined;
export function filteredPositions(search: Search, filter: Filter): Uint32Array;
export function filteredPositions(
  { index, items, collection }: Search,
  filter: Filter,
  limit?: number,
): Uint32Array | undefined {
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
