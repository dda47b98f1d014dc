import { isDeepStrictEqual } from "node:util";
import { AppError } from "../../errors.js";
import { checkMetadata } from "../check-item.js";
import type { Filter } from "../filter.js";
import type { ItemPatch, ItemPatched, JsonObject } from "../item.js";
import { patchedMetadata } from "../patched-metadata.js";
import { binding } from "./bind.js";
import type { Connection } from "./connections.js";
import { filterCondition } from "./filter-condition.js";

/** Changes metadata only. @returns one status per patch, in order. */
export async function patchItems(
  db: Connection,
  n: number,
  patches: readonly ItemPatch[],
): Promise<ItemPatched[]> {
  const { rows } = await db.query(
    `select id, seq, metadata::text from crossmodal.items_${n}
     where id = any($1::text[]) order by id for update`,
    [patches.map(({ id }) => id)],
  );
  const current = new Map<string, { seq: number; metadata: JsonObject }>(
    rows.map(({ id, seq, metadata }) => [id, { seq, metadata: JSON.parse(metadata) }]),
  );
  const changed = new Map<number, string>();
  const statuses = patches.map(({ id, ...patch }): ItemPatched => {
    const found = current.get(id);
    if (found === undefined) return { id, status: "missing" };
    try {
      const json = checkMetadata(patchedMetadata(found.metadata, patch));
      const stored = JSON.parse(json) as JsonObject;
      // Not by their text: jsonb does not keep the order of keys.
      if (isDeepStrictEqual(stored, found.metadata)) return { id, status: "unchanged" };
      found.metadata = stored;
      changed.set(found.seq, json);
      return { id, status: "updated" };
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "invalid_input") throw error;
      const { code, message, param } = error;
      return { id, status: "failed", error: { code, message, param } };
    }
  });
  if (changed.size > 0) {
    await db.query(
      `update crossmodal.items_${n} i set metadata = u.metadata::jsonb
       from unnest($1::bigint[], $2::text[]) u (seq, metadata) where i.seq = u.seq`,
      [[...changed.keys()], [...changed.values()]],
    );
  }
  return statuses;
}

/** Ids of a page of the items that match a filter, oldest first. */
export async function idsAfter(
  db: Connection,
  n: number,
  filter: Filter,
  { after, limit }: { after: number; limit: number },
): Promise<{ id: string; seq: number }[]> {
  const { values, bind } = binding();
  const condition = filterCondition(filter, bind);
  const { rows } = await db.query(
    `select id, seq from crossmodal.items_${n} where seq > ${after} and ${condition}
     order by seq limit ${limit}`,
    values,
  );
  return rows;
}

/** @returns how many items are gone. */
export async function deleteItems(
  db: Connection,
  n: number,
  selection: { ids: readonly string[] } | { filter: Filter },
): Promise<number> {
  const { values, bind } = binding();
  const condition =
    "ids" in selection
      ? `id = any(${bind(selection.ids)}::text[])`
      : filterCondition(selection.filter, bind);
  const { rows } = await db.query(
    `with locked as materialized (
       select seq from crossmodal.items_${n} where ${condition} order by id for update
     ), items as (
       delete from crossmodal.items_${n} i using locked where i.seq = locked.seq returning i.seq
     ), vectors as (
       delete from crossmodal.vectors_${n} v using locked where v.seq = locked.seq
     ), previews as (
       delete from crossmodal.previews_${n} p using locked where p.seq = locked.seq
     ), media as (
       delete from crossmodal.media m using locked where m.n = ${n} and m.seq = locked.seq
     )
     select count(*) as count from items`,
    values,
  );
  return rows[0].count;
}
