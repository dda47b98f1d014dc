import { computed, signal } from "@preact/signals";
import { toast } from "../../components/toasts.js";
import { csvOf, download } from "../../download.js";
import { sentenceOf, server } from "../../server.js";
import { countOut, refreshCollections } from "./collections.js";
import { feed, hide, reload, type Shown } from "./feed.js";
import { addHidden, forgetHidden } from "./hidden.js";

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
  addHidden(collection, ids);
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
      forgetHidden(collection, ids);
      void refreshCollections();
      void reload();
    },
  ]);
}

async function carryOut(key: object, { isLeaving = false } = {}): Promise<void> {
  const deletion = pending.get(key);
  if (deletion === undefined) return;
  pending.delete(key);
  const { collection, ids } = deletion;
  try {
    await server.peek().deleteItems(collection, { ids });
    forgetHidden(collection, ids);
    if (!isLeaving) await refreshCollections();
  } catch (error) {
    toast(`Not deleted: ${sentenceOf(error)}`);
    forgetHidden(collection, ids);
    void refreshCollections();
    void reload();
  }
}

addEventListener("pagehide", () => {
  for (const key of pending.keys()) void carryOut(key, { isLeaving: true });
});

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
