import type { Embedding, Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import type { StoredItem } from "../index/item.js";
import { lookUp } from "../index/match-filter.js";
import type { VectorStore } from "../index/vector-store.js";

/** An item as training sees it: the embedding that its model made, before any head. */
export interface LabelledItem {
  id: string;
  modality: Modality;
  embedding: Embedding;
  /** Its value of the requested field; undefined when it has none. */
  label: string | undefined;
}

/** Most items of a run: this many rows of 1,024 numbers take 800 MB. */
const maxItems = 200_000;

/**
 * Every item of a collection with its value of a metadata field (`label` or `metadata.label`).
 * @throws AppError `space_mismatch` when the embeddings are not of `space`; `too_large` above
 *   200,000 items; `conflict` when the collection is replaced meanwhile.
 */
export async function readLabelled(
  store: VectorStore,
  collection: string,
  field: string | undefined,
  space: string,
  signal?: AbortSignal,
): Promise<LabelledItem[]> {
  const path = pathOf(field);
  const items = new Map<string, LabelledItem>(); // an item replaced during the scan may come twice
  const { space: searched, count } = await store.stats(collection);
  if (count > maxItems) {
    const message =
      `Expected at most ${maxItems} items but the ` + `collection "${collection}" has ${count}`;
    throw new AppError("too_large", message, { param: "collection" });
  }
  for await (const item of store.scan(collection, { space: searched })) {
    signal?.throwIfAborted();
    const { id, modality } = item;
    items.set(id, {
      id,
      modality,
      embedding: embeddingIn(item, searched, space, collection),
      label: labelOf(item, path),
    });
  }
  return [...items.values()];
}

/**
 * Checks that some item of a collection has a label, before a job is created.
 * @param params  the request's names of the collection and the field.
 * @throws AppError `not_found`, `invalid_input` when there is none.
 */
export async function checkLabelled(
  store: VectorStore,
  collection: string,
  field: string,
  { params, signal }: { params: { collection: string; field: string }; signal?: AbortSignal },
): Promise<void> {
  const path = pathOf(field) ?? field;
  // Vectors of items without the field are not read.
  const filter = { field: path, op: "exists", value: true } as const;
  try {
    for await (const item of store.scan(collection, { filter, batchSize: 20 })) {
      signal?.throwIfAborted();
      if (labelOf(item, path) !== undefined) return;
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // Not a metadata path at all: no item has it.
    if (error.code === "invalid_input")
      throw new AppError("invalid_input", noLabel(collection, field), { param: params.field });
    if (error.code !== "not_found") throw error;
    throw new AppError(error.code, error.message, { param: params.collection });
  }
  throw new AppError("invalid_input", noLabel(collection, field), { param: params.field });
}

/**
 * The pairs and labels of the items. `b` is absent when they have one modality: then the label
 * serves as text.
 */
export interface CollectionPairs {
  a: LabelledItem[];
  b?: LabelledItem[];
  labels: string[];
  /** Whether some label is on more than one pair. */
  repeats: boolean;
}

/**
 * Items of one field value belong together. With two modalities each a is paired with a b of its
 * value (in order, and from the start again when there are fewer of them); with
 * one modality each item is paired with its value as a text. Items without a value, or without a
 * partner, are left out.
 *
 * @throws AppError `invalid_input` when nothing is left, or there are three modalities.
 */
export function pairUp(
  items: readonly LabelledItem[],
  field: string,
  collection: string,
): CollectionPairs {
  const fail = (message: string) => new AppError("invalid_input", message, { param: "by" });
  const groups = new Map<string, LabelledItem[]>();
  for (const item of items) {
    if (item.label === undefined) continue;
    const group = groups.get(item.label);
    if (group) group.push(item);
    else groups.set(item.label, [item]);
  }
  if (groups.size === 0) throw fail(noLabel(collection, field));
  const order: Modality[] = ["image", "audio", "text"];
  const present = order.filter((modality) =>
    [...groups.values()].flat().some((item) => item.modality === modality),
  );
  if (present.length > 2)
    throw fail(`Expected items of two modalities but "${collection}" has ${present.join(", ")}`);
  const [first, second] = present;
  const pairs: CollectionPairs = { a: [], b: second && [], labels: [], repeats: false };
  for (const [label, group] of groups) {
    const a = group.filter(({ modality }) => modality === first);
    const b =
      second === undefined ? undefined : group.filter(({ modality }) => modality === second);
    const count =
      b === undefined
        ? a.length
        : a.length === 0 || b.length === 0
          ? 0
          : Math.max(a.length, b.length);
    if (count > 1) pairs.repeats = true;
    for (let i = 0; i < count; i++) {
      pairs.a.push(a[i % a.length]);
      pairs.labels.push(label);
      if (b !== undefined) pairs.b?.push(b[i % b.length]);
    }
  }
  if (pairs.a.length > 0) return pairs;
  throw fail(
    `No ${first} of the collection "${collection}" has the same "${field}" as a ${second}`,
  );
}

const pathOf = (field: string | undefined) => field?.replace(/^metadata\./, "");
const noLabel = (collection: string, field: string) =>
  `No item of the collection "${collection}" has a text, number or boolean in "${field}"`;

function embeddingIn(
  item: StoredItem,
  searched: string,
  space: string,
  collection: string,
): Embedding {
  if (item.original?.space === space) return item.original.embedding;
  if (searched === space && item.original === undefined) return item.embedding;
  const message =
    `Item "${item.id}" of the collection "${collection}" is in ` +
    `${item.original?.space ?? searched}, not in ${space}`;
  throw new AppError("space_mismatch", message, { param: "collection" });
}

function labelOf({ metadata }: StoredItem, path: string | undefined): string | undefined {
  const value = path === undefined ? undefined : lookUp(metadata, path);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}
