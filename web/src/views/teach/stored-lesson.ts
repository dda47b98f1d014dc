import { computed, signal } from "@preact/signals";
import { ApiError } from "../../../../src/client/client.js";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import type { ItemAnswer } from "../../../../src/wire/items.js";
import type { ModelAnswer } from "../../../../src/wire/models.js";
import { toast } from "../../components/toasts.js";
import { fileNameOf } from "../../media.js";
import { sentenceOf, server, serverUrl } from "../../server.js";
import { inWorker } from "./in-worker.js";
import type { TaughtModality } from "./state.js";
import type { Screened } from "./suspects.js";
import type { Lesson, LessonExample } from "./teaching.js";

export interface StoredItem extends LessonExample {
  id: string;
  /** Undefined where its metadata has no such field. */
  label: string | undefined;
  /** The same, as stored in the metadata. */
  value: Value | undefined;
  embedding: Float32Array;
}

type Value = string | number | boolean;

export interface StoredLesson {
  collection: string;
  /** Metadata field whose values are the labels. */
  field: string;
  model: ModelAnswer;
  modality: TaughtModality;
  items: readonly StoredItem[];
  /** There are more labelled items than are read. */
  hasMore: boolean;
}

type State =
  | { state: "none" }
  | { state: "loading"; count: number }
  | { state: "failed"; sentence: string }
  | { state: "ready"; lesson: StoredLesson };

export const stored = signal<State>({ state: "none" });
/** Ids of items that are not taught. */
export const leftOut = signal<ReadonlySet<string>>(new Set());
/** Undefined while the labels are being checked. */
export const screened = signal<{ items: readonly StoredItem[]; labels: string[] } & Screened>();

/** As many as a browser can compare with each other in seconds. */
const maxItems = 2000;
const itemsAtOnce = 500;

export const labelled = computed(() =>
  stored.value.state === "ready"
    ? stored.value.lesson.items.filter(({ label }) => label !== undefined)
    : [],
);
export const unlabelled = computed(() =>
  stored.value.state === "ready"
    ? stored.value.lesson.items.filter(({ label }) => label === undefined)
    : [],
);
export const labelsOf = (items: readonly StoredItem[]): string[] =>
  [...new Set(items.map(({ label }) => label!))].sort((a, b) => a.localeCompare(b));

/** What is taught: every labelled item that is not left out. */
export const storedLesson = computed((): Lesson | undefined => {
  if (stored.value.state !== "ready") return undefined;
  const { model, modality, collection } = stored.value.lesson;
  const examples = labelled.value
    .filter(({ id }) => !leftOut.value.has(id))
    .map((example) => ({ example, label: example.label!, embedding: example.embedding }));
  return { collection, model, modality, examples };
});

let reading = new AbortController();
/** What is left out of it is kept while another view is looked at. */
let lastSource: string | undefined;

export function stopReading(): void {
  reading.abort();
}

/** Reads the items of a collection with their embeddings, labelled ones first. */
export async function readLesson(
  collection: CollectionAnswer,
  { field, model, modality }: { field: string; model: ModelAnswer; modality: TaughtModality },
): Promise<void> {
  reading.abort();
  reading = new AbortController();
  const { signal } = reading;
  stored.value = { state: "loading", count: 0 };
  const source = JSON.stringify([collection.name, field, modality]);
  if (source !== lastSource) leftOut.value = new Set();
  lastSource = source;
  screened.value = undefined;
  const items: StoredItem[] = [];
  const read = async (exists: boolean): Promise<boolean> => {
    const filter = JSON.stringify({ field, op: "exists", value: exists });
    const start = items.length;
    for (let after: string | undefined; ; ) {
      const page = await server
        .peek()
        .listItems(
          collection.name,
          { filter, modality, include: "embedding", limit: itemsAtOnce, after },
          { signal },
        );
      items.push(...page.data.map((item) => storedItem(collection.name, field, item)));
      stored.value = { state: "loading", count: items.length };
      after = page.next_cursor;
      if (after === undefined || items.length - start >= maxItems) return after !== undefined;
    }
  };
  try {
    const hasMore = await read(true);
    await read(false);
    const { name } = collection;
    const lesson = { collection: name, field, model, modality, items, hasMore };
    stored.value = { state: "ready", lesson };
    await screen();
  } catch (error) {
    if (!signal.aborted) stored.value = { state: "failed", sentence: sentenceOf(error) };
  }
}

function storedItem(collection: string, field: string, item: ItemAnswer): StoredItem {
  const { id, media_url, embedding, metadata } = item;
  return {
    id,
    name: fileNameOf(id),
    url: media_url === undefined ? undefined : serverUrl + media_url,
    collection,
    ...labelIn(metadata, field),
    embedding: Float32Array.from(embedding!),
  };
}

function labelIn(metadata: Json, field: string): Pick<StoredItem, "label" | "value"> {
  const value = field
    .split(".")
    .reduce<unknown>((at, key) => (at as Json | undefined)?.[key], metadata);
  const isLabel = ["string", "number", "boolean"].includes(typeof value) && value !== "";
  if (!isLabel) return { label: undefined, value: undefined };
  return { label: String(value), value: value as Value };
}

type Json = Record<string, unknown>;

/** Looks for labels that may be wrong. */
async function screen(): Promise<void> {
  const items = labelled.peek();
  const labels = labelsOf(items);
  screened.value = undefined;
  if (labels.length < 2) return;
  const examples = {
    embeddings: items.map(({ embedding }) => embedding),
    labels: items.map(({ label }) => labels.indexOf(label!)),
    classes: labels.length,
  };
  const found = await inWorker("screen", [examples], reading.signal);
  screened.value = { items, labels, ...found };
}

/** Changes an item of the lesson that is shown, or takes it out. */
function update(id: string, change: Partial<StoredItem> | undefined): void {
  const current = stored.peek();
  if (current.state !== "ready") return;
  const items = current.lesson.items.flatMap((one) =>
    one.id !== id ? [one] : change === undefined ? [] : [{ ...one, ...change }],
  );
  stored.value = { state: "ready", lesson: { ...current.lesson, items } };
}

/** Writes a label into the item's metadata, unless another window has changed it meanwhile. */
export async function relabel(item: StoredItem, label: string | undefined): Promise<void> {
  if (stored.peek().state !== "ready" || label === item.label) return;
  const { lesson } = stored.peek() as Extract<State, { state: "ready" }>;
  const { collection, field } = lesson;
  // A number stays a number
  const value = lesson.items.find((one) => one.label === label)?.value ?? label;
  const metadata = field
    .split(".")
    .reduceRight<unknown>((inner, key) => ({ [key]: inner }), value ?? null) as Json;
  try {
    const now = labelIn((await server.peek().getItem(collection, item.id)).metadata, field);
    if (now.label !== item.label && now.label !== label) {
      update(item.id, now);
      const what = now.label === undefined ? "lost its label" : `was called ${now.label}`;
      toast(`${item.name} ${what} in another window meanwhile, and was left so`);
      return;
    }
    await server.peek().patchItem(collection, item.id, { metadata });
    update(item.id, { label, value });
    const change = label === undefined ? "has no label any more" : `is ${label} now`;
    toast(`${item.name} ${change}`, ["Undo", () => void relabel({ ...item, label }, item.label)]);
  } catch (error) {
    const isGone = error instanceof ApiError && error.param === "id";
    update(item.id, isGone ? undefined : {}); // the list shows again what it is called
    toast(`The label was not changed: ${sentenceOf(error)}`);
  }
}

export function toggleLeftOut(ids: readonly string[], isOut: boolean): void {
  const next = new Set(leftOut.peek());
  for (const id of ids) {
    if (isOut) next.add(id);
    else next.delete(id);
  }
  leftOut.value = next;
}
