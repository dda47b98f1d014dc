import type { ContentFile } from "../../files/content-files.js";
import type { Item, MediaReference } from "../item.js";
import type { Connection } from "./connections.js";

/** Of the items of a collection, in a statement that calls them `i`. */
export const joinedMedia = (n: number) =>
  `left join crossmodal.media m on m.n = ${n} and m.seq = i.seq`;
export const mediaColumns = "m.sha256, m.bytes as media_bytes, m.media_type";

// biome-ignore lint/suspicious/noExplicitAny: what a statement gives
export function mediaOf(row: any): MediaReference | undefined {
  if (row.sha256 === null) return undefined;
  return { sha256: row.sha256, bytes: row.media_bytes, mediaType: row.media_type };
}

/**
 * Replaces the references that these items have.
 * @param replaced  `seq` of those that were there.
 */
export async function writeMedia(
  db: Connection,
  n: number,
  items: Map<string, { item: Pick<Item, "media"> }>,
  { seqOf, replaced }: { seqOf: Map<string, number>; replaced: readonly number[] },
): Promise<void> {
  if (replaced.length > 0) {
    const condition = "n = $1 and seq = any($2::bigint[])";
    await db.query(`delete from crossmodal.media where ${condition}`, [n, replaced]);
  }
  const media = [...items].flatMap(([id, { item }]) =>
    item.media === undefined ? [] : [{ seq: seqOf.get(id), ...item.media }],
  );
  if (media.length === 0) return;
  await db.query(
    `insert into crossmodal.media (n, seq, sha256, bytes, media_type)
     select $1, * from unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[])`,
    [
      n,
      media.map(({ seq }) => seq),
      media.map(({ sha256 }) => sha256),
      media.map(({ bytes }) => bytes),
      media.map(({ mediaType }) => mediaType),
    ],
  );
}

export async function mediaInUse(db: Connection, hashes: readonly string[]): Promise<string[]> {
  const { rows } = await db.query(
    "select distinct sha256 from crossmodal.media where sha256 = any($1::text[])",
    [hashes],
  );
  const used = new Set(rows.map(({ sha256 }) => sha256));
  return hashes.filter((hash) => used.has(hash));
}

/** Some of the files that items refer to. */
export async function someMedia(db: Connection, limit: number): Promise<ContentFile[]> {
  const { rows } = await db.query(
    `select distinct on (sha256) sha256, bytes from crossmodal.media order by sha256 limit $1`,
    [limit],
  );
  return rows;
}

export async function takeReleasedMedia(db: Connection): Promise<string[]> {
  const { rows } = await db.query("delete from crossmodal.released_media returning sha256");
  const hashes: string[] = rows.map(({ sha256 }) => sha256);
  const used = new Set(await mediaInUse(db, hashes));
  return hashes.filter((hash) => !used.has(hash));
}
