import { computed, signal } from "@preact/signals";
import { toast } from "../../components/toasts.js";
import { csvOf, download } from "../../download.js";
import { sentenceOf, server } from "../../server.js";
import { countOut, refreshCollections } from "./collections.js";
import { feed, hide, reload, type Shown, showMetadata } from "./feed.js";

/** The item whose details are shown. */
export const focusedId = signal<string>();
/** The marked items, for actions on all of them. */
export const marked = signal<ReadonlySet<string>>(new Set());

export const focused = computed(() => feed.value.items.find(({ id }) => id === focusedId.value));
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
  const names = items.length === 1 ? items[0].id : `${items.length} items`;
  const change = (tags: readonly string[]) => [...new Set([...tags, ...added])];
  await changeTags(collection, items, change, `Tagged ${names} with ${added.join(", ")}`);
}

export async function untagItem(collection: string, item: Shown, gone: string): Promise<void> {
  const change = (tags: readonly string[]) => tags.filter((tag) => tag !== gone);
  await changeTags(collection, [item], change, `${item.id} is not ${gone} any more`);
}

async function changeTags(
  collection: string,
  items: readonly Shown[],
  change: (tags: readonly string[]) => readonly string[],
  done: string,
): Promise<void> {
  const other = items.find(({ metadata }) => !isTags(metadata.tags));
  if (other !== undefined) {
    toast(`The field "tags" of ${other.id} is not a list of tags; it was left unchanged`);
    return;
  }
  const before = new Map(items.map(({ id, metadata }) => [id, metadata]));
  const after = new Map(
    items.map(({ id, metadata }) => {
      const { tags: _, ...others } = metadata;
      const tags = change(tagsOf(metadata));
      return [id, tags.length === 0 ? others : { ...others, tags }] as const;
    }),
  );
  try {
    await patchTags(collection, after);
    showMetadata(after);
    const undo = () =>
      patchTags(collection, before).then(
        () => showMetadata(before),
        (error) => toast(sentenceOf(error)),
      );
    toast(done, ["Undo", undo]);
  } catch (error) {
    toast(`The tags were not changed: ${sentenceOf(error)}`);
  }
}

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
