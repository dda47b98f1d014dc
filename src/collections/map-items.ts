import { createHash } from "node:crypto";
import { modalities } from "../index/modalities.js";
import type { CollectionStats, VectorStore } from "../index/vector-store.js";
import type { MapRows } from "./region-names.js";

/** The items of a collection that have a point on its map, oldest first. */
export interface MapItems {
  ids: string[];
  rows: MapRows;
  /** Of ids and embeddings. */
  digest: string;
}

/** @param maxPoints  of larger collections every second, third, … item is taken. */
export async function readMapItems(
  store: Pick<VectorStore, "page">,
  { name, space, dimensions, count }: CollectionStats,
  maxPoints: number,
): Promise<MapItems> {
  const step = Math.max(1, Math.ceil(count / maxPoints));
  const ids: string[] = [];
  const kinds: number[] = [];
  const values = new Float32Array(Math.ceil(count / step) * dimensions);
  const hash = createHash("sha256");
  let seen = 0;
  for (let after: string | undefined; ; ) {
    const page = await store.page(name, { limit: 500, after, space });
    for (const { id, modality, embedding } of page.items) {
      // Items that are added meanwhile come at the end, and are of the next map.
      if (seen++ % step !== 0 || (ids.length + 1) * dimensions > values.length) continue;
      values.set(embedding, ids.length * dimensions);
      hash.update(`${id}\n`).update(embedding);
      ids.push(id);
      kinds.push(modalities.indexOf(modality));
    }
    if (page.nextCursor === undefined) break;
    after = page.nextCursor;
  }
  const rows = {
    values: values.slice(0, ids.length * dimensions),
    dimensions,
    kinds: Uint8Array.from(kinds),
  };
  return { ids, rows, digest: hash.digest("hex") };
}
