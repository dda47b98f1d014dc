import type { Item } from "../item.js";
import { modalities } from "../modalities.js";
import { unitLength } from "../unit-length.js";
import type { CollectionRow } from "./collection-rows.js";
import type { Connection } from "./connections.js";
import { bool, copyRows, int2, int8, jsonb, text } from "./copy-rows.js";
import { writeMedia } from "./media.js";
import { arrayBytes, vectorBytes } from "./vector-bytes.js";

/** A checked item on its way into the database. */
export interface NewItem {
  item: Item;
  /** JSON. Without it, an existing item keeps its metadata. */
  metadata: string | undefined;
}

/** Another transaction has added the same new ids meanwhile: start over and replace them. */
class AddedMeanwhile extends Error {
  readonly code = "40001";
}

/**
 * Adds and replaces items inside the caller's transaction.
 * @param vectorType  oid of `vector`.
 * @returns per item whether it replaced another; of one id twice the second replaces the first.
 */
export async function writeItems(
  db: Connection,
  { n, graph }: CollectionRow,
  items: readonly NewItem[],
  vectorType: number,
): Promise<boolean[]> {
  const last = lastOfEach(items);
  // Rows are locked in the order of their ids, so that two writers of the same ids cannot each wait
  // for the other.
  const { rows: found } = await db.query(
    `select id, seq from crossmodal.items_${n} where id = any($1::text[]) order by id for update`,
    [[...last.keys()]],
  );
  const seqOf = new Map<string, number>(found.map(({ id, seq }) => [id, seq]));
  const replaced: NewItem[] = [];
  const added: NewItem[] = [];
  for (const [id, one] of last) (seqOf.has(id) ? replaced : added).push(one);
  const tail = graph !== "none";
  if (replaced.length > 0) {
    const seqs = replaced.map(({ item }) => seqOf.get(item.id) as number);
    await replaceItems(db, n, { items: replaced, seqs, tail, vectorType });
  }
  if (added.length > 0) {
    const inserted = await addItems(db, n, { items: added, tail });
    for (const [id, seq] of inserted) seqOf.set(id, seq);
  }
  await writePreviews(db, n, last, seqOf);
  const seqs = replaced.map(({ item }) => seqOf.get(item.id) as number);
  await writeMedia(db, n, last, { seqOf, replaced: seqs });
  const seen = new Set<string>(replaced.map(({ item }) => item.id));
  return items.map(({ item: { id } }) => seen.has(id) || !seen.add(id));
}

/** The last item of each id, with what an earlier one of the batch leaves to it. */
function lastOfEach(items: readonly NewItem[]): Map<string, NewItem> {
  const last = new Map<string, NewItem>();
  for (const { item, metadata } of items) {
    const earlier = last.get(item.id);
    const addedAt = item.addedAt ?? earlier?.item.addedAt;
    const kept = { item: { ...item, addedAt }, metadata: metadata ?? earlier?.metadata };
    last.set(item.id, kept);
  }
  return last;
}

interface Batch {
  items: readonly NewItem[];
  tail: boolean;
  vectorType: number;
}

const columns =
  "id, modality, metadata, source, content_hash, text, added_at, original_space, original";

/** @returns id and seq of each. */
async function addItems(
  db: Connection,
  n: number,
  { items, tail }: Omit<Batch, "vectorType">,
): Promise<[id: string, seq: number][]> {
  const now = Date.now();
  const { rows } = await db.query(
    `select nextval('crossmodal.items_${n}_seq_seq') as seq from generate_series(1, $1::int)`,
    [items.length],
  );
  // Numbered in the order given, inserted in the order of the ids.
  const numbered = items
    .map(({ item, metadata = "{}" }, i) => ({ seq: rows[i].seq as number, item, metadata }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.item.id), Buffer.from(b.item.id)));
  const fieldsOf = ({ seq, item, metadata }: (typeof numbered)[number]) => [
    int8(seq),
    text(item.id),
    int2(modalities.indexOf(item.modality)),
    jsonb(metadata),
    text(item.source),
    text(item.contentHash),
    text(item.text),
    int8(item.addedAt === undefined ? now : Date.parse(item.addedAt)),
    text(item.original?.space),
    item.original && vectorBytes(item.original.embedding),
  ];
  try {
    await copyRows(db, `crossmodal.items_${n} (seq, ${columns})`, numbered.map(fieldsOf));
  } catch (error) {
    if ((error as { code?: string }).code !== "23505") throw error;
    throw new AddedMeanwhile("Added meanwhile", { cause: error });
  }
  await copyRows(
    db,
    `crossmodal.vectors_${n} (seq, modality, embedding, tail)`,
    numbered.map(({ seq, item }) => [
      int8(seq),
      int2(modalities.indexOf(item.modality)),
      vectorBytes(unitLength(item.embedding)),
      bool(tail),
    ]),
  );
  return numbered.map(({ seq, item }) => [item.id, seq]);
}

async function replaceItems(
  db: Connection,
  n: number,
  { items, seqs, tail, vectorType }: Batch & { seqs: readonly number[] },
): Promise<void> {
  await db.query(
    `update crossmodal.items_${n} old set modality = u.modality,
       metadata = coalesce(u.metadata::jsonb, old.metadata), source = u.source,
       content_hash = u.content_hash, text = u.text,
       added_at = coalesce(u.added_at, old.added_at),
       original_space = u.original_space, original = u.original
     from ${unnestedItems} where old.id = u.id`,
    givenValues(items, vectorType),
  );
  await db.query(
    `update crossmodal.vectors_${n} old
     set modality = u.modality, embedding = u.embedding, tail = $4
     from unnest($1::bigint[], $2::smallint[], $3::vector[]) u (seq, modality, embedding)
     where old.seq = u.seq and (old.modality <> u.modality or old.embedding <> u.embedding)`,
    [
      seqs,
      items.map(({ item }) => modalities.indexOf(item.modality)),
      embeddingsOf(items, vectorType),
      tail,
    ],
  );
  await db.query(`delete from crossmodal.previews_${n} where seq = any($1::bigint[])`, [seqs]);
}

async function writePreviews(
  db: Connection,
  n: number,
  items: Map<string, NewItem>,
  seqOf: Map<string, number>,
): Promise<void> {
  const rows = [...items].flatMap(([id, { item }]) => {
    const { preview } = item;
    if (preview === undefined) return [];
    return [[int8(seqOf.get(id) as number), text(preview.mediaType), preview.bytes]];
  });
  if (rows.length === 0) return;
  await copyRows(db, `crossmodal.previews_${n} (seq, media_type, bytes)`, rows);
}

const unnestedItems = `unnest($1::text[], $2::smallint[], $3::text[], $4::text[], $5::text[],
  $6::text[], $7::bigint[], $8::text[], $9::vector[]) u (${columns})`;

function givenValues(items: readonly NewItem[], vectorType: number): unknown[] {
  const all = items.map(({ item }) => item);
  return [
    all.map(({ id }) => id),
    all.map(({ modality }) => modalities.indexOf(modality)),
    items.map(({ metadata }) => metadata ?? null),
    all.map(({ source }) => source ?? null),
    all.map(({ contentHash }) => contentHash ?? null),
    all.map(({ text }) => text ?? null),
    all.map(({ addedAt }) => (addedAt === undefined ? null : Date.parse(addedAt))),
    all.map(({ original }) => original?.space ?? null),
    arrayBytes(
      all.map(({ original }) => original && vectorBytes(original.embedding)),
      vectorType,
    ),
  ];
}

const embeddingsOf = (items: readonly NewItem[], vectorType: number): Buffer =>
  arrayBytes(
    items.map(({ item }) => vectorBytes(unitLength(item.embedding))),
    vectorType,
  );
