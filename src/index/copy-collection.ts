import { createHash } from "node:crypto";
import { AppError } from "../errors.js";
import type { Item, JsonValue, StoredItem } from "./item.js";
import type { CollectionStats, VectorStore } from "./vector-store.js";

/** Items that are read, compared and written together. */
const itemsAtOnce = 200;

export interface CopyOptions {
  /** Whether items that only the target has are deleted there; without it they are an error. */
  prune?: boolean;
  /** Is called for each item of the source. */
  step?: () => void;
}

export interface Copied {
  items: number;
  /** How many of them were not in the target yet, or not the same. */
  written: number;
  pruned: number;
  /** Of all items, whatever their order: the same in both stores. */
  checksum: string;
}

/**
 * Copies a collection into another store. Items that are already the same there are not written
 * again, so that an interrupted copy continues, and a second one carries over what changed. At the
 * end the target is read again and compared by checksum.
 * @throws AppError conflict for a collection of another space, or with items of its own; whatever
 *   the stores say; `storage_failed` when what was stored is not what was sent.
 */
export async function copyCollection(
  from: VectorStore,
  to: VectorStore,
  { name, space, dimensions, fields, options, aliases }: CollectionStats,
  { prune = false, step = () => undefined }: CopyOptions = {},
): Promise<Copied> {
  const target = (await to.listCollections()).find((other) => other.name === name);
  if (target === undefined) await to.createCollection({ name, space, dimensions, fields, options });
  else if (target.space !== space || target.dimensions !== dimensions) {
    const message =
      `The target has a collection "${name}" of the space ${target.space}, not of ${space}; ` +
      "rename or delete it";
    throw new AppError("conflict", message, { param: "name" });
  }
  const isEmpty = (target?.count ?? 0) === 0;
  const sum = new Checksum();
  let written = 0;
  for await (const batch of batchesOf(from, name)) {
    const existing = isEmpty ? [] : await withPreviews(to, name, await to.get(name, idsOf(batch)));
    const digests = new Map(existing.map((item) => [item.id, digestOf(item)]));
    const wanted: Item[] = [];
    for (const item of batch) {
      const digest = digestOf(item);
      sum.add(digest);
      if (digests.get(item.id) !== digest) wanted.push(item);
      step();
    }
    await store(to, name, wanted);
    written += wanted.length;
  }
  const pruned = isEmpty ? 0 : await pruneItems(from, to, name, prune);
  for (const alias of aliases) await to.setAlias(alias, name);
  const stored = new Checksum();
  for await (const batch of batchesOf(to, name))
    for (const item of batch) stored.add(digestOf(item));
  if (stored.text === sum.text) return { items: sum.count, written, pruned, checksum: sum.text };
  const message =
    `The copy of "${name}" is not the same as the original: ${stored.count} of ${sum.count} ` +
    `items, checksum ${stored.text} instead of ${sum.text}; was it changed in the meantime?`;
  throw new AppError("storage_failed", message);
}

async function store(to: VectorStore, name: string, items: readonly Item[]): Promise<void> {
  for (const status of await to.upsert(name, items)) {
    if (status.status === "stored") continue;
    const { code, message, param } = status.error;
    throw new AppError(code, `Item "${status.id}" of "${name}": ${message}`, { param });
  }
}

/** What the target has beyond the source. @returns how many items were deleted. */
async function pruneItems(
  from: VectorStore,
  to: VectorStore,
  name: string,
  prune: boolean,
): Promise<number> {
  const extra: string[] = [];
  for await (const batch of batchesOf(to, name, { previews: false })) {
    const existingIds = new Set((await from.get(name, idsOf(batch))).map(({ id }) => id));
    extra.push(...idsOf(batch).filter((id) => !existingIds.has(id)));
  }
  if (extra.length > 0 && !prune) {
    const some = extra.slice(0, 3).map((id) => `"${id}"`);
    const message =
      `The target's "${name}" has ${extra.length} items that the source does not have: ` +
      `${some.join(", ")}${extra.length > 3 ? ", …" : ""}; --prune deletes them`;
    throw new AppError("conflict", message, { param: "name" });
  }
  for (let i = 0; i < extra.length; i += itemsAtOnce)
    await to.delete(name, { ids: extra.slice(i, i + itemsAtOnce) });
  return extra.length;
}

const idsOf = (items: readonly Item[]): string[] => items.map(({ id }) => id);

async function* batchesOf(
  from: VectorStore,
  name: string,
  { previews = true } = {},
): AsyncGenerator<Item[]> {
  let after: string | undefined;
  do {
    const { items, nextCursor } = await from.page(name, { limit: itemsAtOnce, after });
    yield previews ? await withPreviews(from, name, items) : items;
    after = nextCursor;
  } while (after !== undefined);
}

async function withPreviews(from: VectorStore, name: string, items: StoredItem[]): Promise<Item[]> {
  const previews = await from.previews(name, idsOf(items));
  return items.map((item) => {
    const preview = previews.get(item.id);
    return preview === undefined ? item : { ...item, preview };
  });
}

/** A sum of digests: the same whatever order the items come in. */
class Checksum {
  count = 0;
  #sum = 0n;

  add(digest: string): void {
    this.count++;
    this.#sum = BigInt.asUintN(64, this.#sum + BigInt(`0x${digest.slice(0, 16)}`));
  }

  get text(): string {
    return this.#sum.toString(16).padStart(16, "0");
  }
}

/** Of everything but the time it was added, which items of earlier versions do not have. */
function digestOf({ id, modality, embedding, original, metadata, preview, ...rest }: Item): string {
  const { text, source, contentHash } = rest;
  const facts = [id, modality, text, source, contentHash, original?.space, preview?.mediaType];
  const hash = createHash("sha256").update(JSON.stringify([...facts, sorted(metadata ?? {})]));
  for (const bytes of [embedding, original?.embedding, preview?.bytes]) {
    if (bytes === undefined) continue;
    hash.update(`${bytes.byteLength}:`);
    hash.update(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  return hash.digest("hex");
}

/** Drivers may store metadata keys in any order. */
function sorted(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, sorted(inner)]);
}
