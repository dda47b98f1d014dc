import { computed, signal } from "@preact/signals";
import { toast } from "../../components/toasts.js";
import { csvOf, download } from "../../download.js";
import { sentenceOf, server } from "../../server.js";
import { countOut, refreshCollections } from "./collections.js";
import { feed, hide, reload, type Shown, showMetadata } from "./feed.js";

/** The marked items, for actions on all of them. */
export const marked = signal<ReadonlySet<string>>(new Set());

export const markedItems = computed(() =>
  feed.value.items.filter(({ id }) => marked.value.has(id)),
);

export function toggleMark(id: string): void {
  const next = new Set(marked.peek());
  if (!next.delete(id)) next.add(id);
  anchor = id;
  marked.value = next;
}

/** Where a range begins: what was marked last. */
let anchor: string | undefined;

/** Marks everything between the item that was marked last and this one. */
export function markTo(id: string): void {
  const ids = feed.peek().items.map((item) => item.id);
  const [from, to] = [ids.indexOf(anchor ?? id), ids.indexOf(id)].sort((a, b) => a - b);
  markAll(ids.slice(Math.max(0, from), to + 1));
  anchor = id;
}

export function markAll(ids: readonly string[]): void {
  marked.value = new Set([...marked.peek(), ...ids]);
}

/** Long enough to notice a mistake; an undone deletion was never sent. */
const undoMs = 10_000;
const pending = new Map<object, { collection: string; ids: string[] }>();

/** Hides items, and deletes them unless that is undone within ten seconds. */
export function deleteItems(collection: string, items: readonly Shown[]): void {
  const ids = items.map(({ id }) => id);
  const key = {};
  hide(new Set(ids));
  countOut(collection, items);
  marked.value = new Set();
  pending.set(key, { collection, ids });
  const timer = setTimeout(() => void carryOut(key), undoMs);
  toast(ids.length === 1 ? `${ids[0]} deleted` : `${ids.length} items deleted`, [
    "Undo",
    () => {
      clearTimeout(timer);
      pending.delete(key);
      void refreshCollections();
      void reload();
    },
  ]);
}

async function carryOut(key: object, { isLeaving = false } = {}): Promise<void> {
  const deletion = pending.get(key);
  if (deletion === undefined) return;
  pending.delete(key);
  try {
    const { collection, ids } = deletion;
    await server.peek().deleteItems(collection, { ids });
    if (!isLeaving) await refreshCollections();
  } catch (error) {
    toast(`Not deleted: ${sentenceOf(error)}`);
    void refreshCollections();
    void reload();
  }
}

addEventListener("pagehide", () => {
  for (const key of pending.keys()) void carryOut(key, { isLeaving: true });
});

/** Adds tags to the field `tags` of each. */
export async function tagItems(
  collection: string,
  items: readonly Shown[],
  added: readonly string[],
): Promise<void> {
  if (added.length === 0) return;
  const add = (tags: readonly string[]) => [...new Set([...tags, ...added])];
  const before = await changeTags(collection, items, add);
  if (before === undefined) return;
  const undo = (tags: readonly string[], id: string) =>
    tags.filter((tag) => !added.includes(tag) || before.get(id)?.includes(tag));
  const names = before.size === 1 ? [...before.keys()][0] : `${before.size} items`;
  toast(`Tagged ${names} with ${added.join(", ")}`, [
    "Undo",
    () => void changeTags(collection, items, undo),
  ]);
}

export async function untagItem(collection: string, item: Shown, gone: string): Promise<void> {
  const remove = (tags: readonly string[]) => tags.filter((tag) => tag !== gone);
  if ((await changeTags(collection, [item], remove)) === undefined) return;
  toast(`${item.id} is not ${gone} any more`, [
    "Undo",
    () => void changeTags(collection, [item], (tags) => [...new Set([...tags, gone])]),
  ]);
}

/**
 * Changes the tags that items have now: another window may have changed them since they were
 * loaded, or deleted the items.
 * @returns the tags that each had; undefined if nothing was changed.
 */
async function changeTags(
  collection: string,
  items: readonly Shown[],
  change: (tags: readonly string[], id: string) => readonly string[],
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  try {
    const stored = await storedMetadata(
      collection,
      items.map(({ id }) => id),
    );
    const other = [...stored].find(([, { tags }]) => !isTags(tags));
    if (other !== undefined) {
      toast(`The field "tags" of ${other[0]} is not a list of tags; it was left unchanged`);
      return undefined;
    }
    const missing = items.filter(({ id }) => !stored.has(id)).map(({ id }) => id);
    if (missing.length > 0) {
      hide(new Set(missing));
      const names = missing.length === 1 ? missing[0] : `${missing.length} items`;
      toast(`${names} cannot be tagged: deleted in another window`);
    }
    if (stored.size === 0) return undefined;
    const after = new Map(
      [...stored].map(([id, metadata]) => {
        const { tags: _, ...others } = metadata;
        const tags = change(tagsOf(metadata), id);
        return [id, tags.length === 0 ? others : { ...others, tags }] as const;
      }),
    );
    await patchTags(collection, after);
    showMetadata(after);
    return new Map([...stored].map(([id, metadata]) => [id, tagsOf(metadata)]));
  } catch (error) {
    toast(`The tags were not changed: ${sentenceOf(error)}`);
    return undefined;
  }
}

/** Characters of ids in one request, whose address has to fit into 16 KB. */
const maxIdsLength = 3000;

/** The metadata of those items that there are. */
async function storedMetadata(
  collection: string,
  ids: readonly string[],
): Promise<Map<string, Record<string, unknown>>> {
  const found = new Map<string, Record<string, unknown>>();
  for (let from = 0; from < ids.length; ) {
    let end = from + 1;
    for (let length = encodedLength(ids[from]); end < ids.length && end - from < 1000; end++) {
      length += encodedLength(ids[end]);
      if (length > maxIdsLength) break;
    }
    const filter = JSON.stringify({ item: "id", op: "in", value: ids.slice(from, end) });
    const { data } = await server.peek().listItems(collection, { filter, limit: 1000 });
    for (const { id, metadata } of data) found.set(id, metadata);
    from = end;
  }
  return found;
}

/** With its quotes and comma */
const encodedLength = (id: string) => encodeURIComponent(JSON.stringify(id)).length + 3;

const isTags = (value: unknown): value is readonly string[] | undefined =>
  value === undefined || (Array.isArray(value) && value.every((tag) => typeof tag === "string"));

/** The tags that people gave; a job that classifies may keep something else in that field. */
export const tagsOf = ({ tags }: Record<string, unknown>): readonly string[] =>
  (isTags(tags) ? tags : undefined) ?? [];

/** A merge patch of the field alone: another page may have changed the others meanwhile. */
async function patchTags(
  collection: string,
  metadataOf: ReadonlyMap<string, Record<string, unknown>>,
): Promise<void> {
  const items = [...metadataOf].map(([id, { tags }]) => ({ id, metadata: { tags: tags ?? null } }));
  await server.peek().send(`/v1/collections/${encodeURIComponent(collection)}/items`, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ items }),
  });
}

/** The items with their metadata, as a table. */
export function exportItems(collection: string, items: readonly Shown[]): void {
  const fields = [...new Set(items.flatMap(({ metadata }) => Object.keys(metadata)))].sort();
  const cell = (value: unknown) =>
    typeof value === "number" || typeof value === "string"
      ? value
      : value === undefined
        ? ""
        : JSON.stringify(value);
  const rows = items.map(({ id, modality, similarity, source, text, metadata }) => [
    id,
    modality,
    similarity ?? "",
    source ?? "",
    text ?? "",
    ...fields.map((field) => cell(metadata[field])),
  ]);
  const head = ["id", "modality", "similarity", "source", "text", ...fields];
  download(`${collection}.csv`, new Blob([csvOf([head, ...rows])], { type: "text/csv" }));
}
