import { modalities } from "../modalities.js";
import type { CollectionStats } from "../vector-store.js";
import type { CollectionIndex } from "./collection-index.js";
import type { CollectionRow } from "./collection-rows.js";
import { readMeans } from "./modality-means.js";
import type { Database } from "./sqlite.js";

/**
 * A collection's figures.
 * @param live.index  when it is in memory; otherwise its snapshot gives the extent of the index.
 */
export function collectionStats(
  db: Database,
  row: CollectionRow,
  live: { aliases: string[]; engine: string; index: CollectionIndex | undefined },
): CollectionStats {
  const { name, space, dimensions, fields, options, createdAt, snapshot } = row;
  const { aliases, engine, index } = live;
  const counts = [...readMeans(db, row.collection)];
  return {
    name,
    space,
    dimensions,
    fields,
    options,
    aliases,
    createdAt,
    count: counts.reduce((sum, [, { count }]) => sum + count, 0),
    countByModality: Object.fromEntries(
      counts.map(([modality, { count }]) => [modalities[modality], count]),
    ),
    index: {
      engine,
      state: index?.state ?? (snapshot?.graph === undefined ? "none" : "ready"),
      indexed: index?.indexed ?? snapshot?.graph?.size ?? 0,
    },
  };
}
