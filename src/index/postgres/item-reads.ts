import type { Filter } from "../filter.js";
import type { Preview, StoredItem } from "../item.js";
import type { MetadataRow } from "../metadata-page.js";
import { modalities } from "../modalities.js";
import { type PageOrder, pageOrders } from "../page-order.js";
import { binding } from "./bind.js";
import type { Connection } from "./connections.js";
import { filterCondition } from "./filter-condition.js";
import { joinedMedia, mediaColumns, mediaOf } from "./media.js";
import { floatsOf } from "./vector-bytes.js";

const columns = `i.seq, i.id, i.modality, i.metadata::text, i.source, i.content_hash, i.text,
  i.added_at, i.original_space, vector_send(i.original) as original,
  vector_send(v.embedding) as embedding, ${mediaColumns}`;

/** The items that exist, in the order of `ids`. */
export async function itemsById(
  db: Connection,
  n: number,
  ids: readonly string[],
): Promise<StoredItem[]> {
  const { rows } = await db.query(
    `select ${columns}
     from crossmodal.items_${n} i join crossmodal.vectors_${n} v on v.seq = i.seq ${joinedMedia(n)}
     join unnest($1::text[]) with ordinality wanted (id, place) on wanted.id = i.id
     order by wanted.place`,
    [ids],
  );
  return rows.map(itemOf);
}

/**
 * A page of items, oldest first.
 * @returns them, and the `seq` of the last when there may be more.
 */
export async function pageOfItems(
  db: Connection,
  n: number,
  page: {
    after?: number | string;
    limit: number;
    order: PageOrder;
    filter?: Filter;
    modality?: number;
  },
): Promise<{ items: StoredItem[]; last: number | string | undefined }> {
  const { by, beyond, direction, start } = pageOrders[page.order];
  const key = by === "id" ? "id" : "seq";
  const { values, bind } = binding();
  const conditions = [`${key} ${beyond} ${bind(page.after ?? start)}`];
  if (page.modality !== undefined) conditions.push(`modality = ${page.modality}`);
  if (page.filter !== undefined) conditions.push(filterCondition(page.filter, bind));
  const { rows } = await db.query(
    `select ${columns} from (
       select * from crossmodal.items_${n} where ${conditions.join(" and ")}
       order by ${key} ${direction} limit ${page.limit}
     ) i join crossmodal.vectors_${n} v on v.seq = i.seq ${joinedMedia(n)}
     order by i.${key} ${direction}`,
    values,
  );
  return {
    items: rows.map(itemOf),
    last: rows.length === page.limit ? rows.at(-1)[key] : undefined,
  };
}

/** Ids and metadata alone, newest first, before `seq` `before`. */
export async function metadataOf(
  db: Connection,
  n: number,
  page: { before: number; limit: number; filter?: Filter; modality?: number },
): Promise<MetadataRow[]> {
  const { values, bind } = binding();
  const conditions = [`seq < ${page.before}`];
  if (page.modality !== undefined) conditions.push(`modality = ${page.modality}`);
  if (page.filter !== undefined) conditions.push(filterCondition(page.filter, bind));
  const { rows } = await db.query(
    `select seq as row, id, metadata::text from crossmodal.items_${n}
     where ${conditions.join(" and ")} order by seq desc limit ${page.limit}`,
    values,
  );
  return rows;
}

export async function previewsOf(
  db: Connection,
  n: number,
  ids: readonly string[],
): Promise<Map<string, Preview>> {
  const { rows } = await db.query(
    `select id, media_type, bytes from crossmodal.previews_${n}
     join crossmodal.items_${n} using (seq) where id = any($1::text[])`,
    [ids],
  );
  return new Map(
    rows.map((row) => [row.id, { mediaType: row.media_type, bytes: new Uint8Array(row.bytes) }]),
  );
}

export async function contentHashes(
  db: Connection,
  n: number,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await db.query(
    `select id, content_hash from crossmodal.items_${n}
     where id = any($1::text[]) and content_hash is not null`,
    [ids],
  );
  return new Map(rows.map(({ id, content_hash }) => [id, content_hash]));
}

export async function countItems(db: Connection, n: number, filter: Filter): Promise<number> {
  const { values, bind } = binding();
  const condition = filterCondition(filter, bind);
  const { rows } = await db.query(
    `select count(*) as count from crossmodal.items_${n} where ${condition}`,
    values,
  );
  return rows[0].count;
}

// biome-ignore lint/suspicious/noExplicitAny: what a statement gives
function itemOf(row: any): StoredItem {
  const item: StoredItem = {
    id: row.id,
    modality: modalities[row.modality],
    embedding: floatsOf(row.embedding),
    metadata: JSON.parse(row.metadata),
    addedAt: new Date(row.added_at).toISOString(),
  };
  if (row.original !== null)
    item.original = { space: row.original_space, embedding: floatsOf(row.original) };
  if (row.text !== null) item.text = row.text;
  if (row.source !== null) item.source = row.source;
  if (row.content_hash !== null) item.contentHash = row.content_hash;
  const media = mediaOf(row);
  if (media !== undefined) item.media = media;
  return item;
}
