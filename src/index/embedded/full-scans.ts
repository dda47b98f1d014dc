import { centered } from "../centered.js";
import { TopK } from "../top-k.js";
import { scanCentered } from "./centered-scan.js";
import { range, scanAll, scanQuantized, scanSome } from "./exact-scan.js";
import { filteredPositions } from "./filtered-positions.js";
import { admits, type Found, type PlannedQuery, type Search } from "./search.js";

/** Compares with every vector that matches the filter and the modality, in float32. */
export function scanFloats(search: Search, query: PlannedQuery): Found {
  const { table } = search.index;
  const top = new TopK(query.topK, query);
  const positions = candidates(search, query);
  if (query.centering !== undefined) {
    const { queryMean, means } = query.centering;
    const direction = centered(query.vector, queryMean);
    scanCentered(table, direction, means, top, positions ?? range(0, table.length));
  } else if (positions === undefined) scanAll(table, query.vector, top);
  else scanSome(table, query.vector, top, positions);
  return { hits: top.sorted(), plan: "exact" };
}

/**
 * Compares with every vector in 8 bits, and with the best of them in float32; vectors that do not
 * match the filter are skipped.
 */
export function scanBits(search: Search, query: PlannedQuery): Found {
  const top = new TopK(query.topK, query);
  const isAdmitted = (position: number) => admits(search, query, position);
  scanQuantized(search.index.table, [{ vector: query.vector, top, admits: isAdmitted }]);
  return { hits: top.sorted(), plan: "scan" };
}

/** Positions of the filter and the modality; undefined for all. */
function candidates(search: Search, { filter, modality }: PlannedQuery) {
  const { table } = search.index;
  if (filter === undefined && modality === undefined) return undefined;
  const positions =
    filter === undefined ? range(0, table.length) : filteredPositions(search, filter);
  return modality === undefined ? positions : ofModality(table, modality, positions);
}

function* ofModality(
  table: Search["index"]["table"],
  modality: number,
  positions: Iterable<number>,
): Iterable<number> {
  for (const position of positions) if (table.modality(position) === modality) yield position;
}
