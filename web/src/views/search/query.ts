import { computed, signal } from "@preact/signals";
import type { Modality } from "../../../../src/encoders/encoder.js";
import { navigate, route } from "../../router.js";

/** A picture or sound used as the query; it is not in the address. */
export const mediaQuery = signal<{
  modality: "image" | "audio";
  blob: Blob;
  url: string;
  name: string;
}>();

/** The query, read from the address. */
export interface Query {
  collection: string | undefined;
  text: string;
  /** The item whose neighbours are shown. */
  itemId: string | undefined;
  /** Only results of this modality. */
  modality: Modality | undefined;
  centering: boolean;
  layout: Layout | undefined;
  /** Of a list; a search has the best first. */
  order: Order;
  filter: string | undefined;
  /** Only items that were chosen on the map: the key of `chosenIds`. */
  chosen: string | undefined;
}

export type Layout = "grid" | "list" | "cards";

/** In which lists can be shown, in words. */
export const orders = { oldest: "oldest first", newest: "newest first", id: "by name" } as const;
export type Order = keyof typeof orders;
const orderOf = (param: string | null): Order =>
  param !== null && Object.hasOwn(orders, param) ? (param as Order) : "oldest";

export const query = computed<Query>(() => {
  const { path, params } = route.value;
  return {
    collection: path[0],
    text: params.get("q") ?? "",
    itemId: params.get("like") ?? undefined,
    modality: (params.get("modality") ?? undefined) as Modality | undefined,
    centering: params.has("centre"),
    layout: (params.get("view") ?? undefined) as Layout | undefined,
    order: orderOf(params.get("order")),
    filter: params.get("filter") ?? undefined,
    chosen: params.get("chosen") ?? undefined,
  };
});

/** Changes the query: a new history entry, unless `replace` says that the user is still typing. */
export function ask(change: Partial<Query>, { replace = false } = {}): void {
  const next = { ...query.peek(), ...change };
  if (next.text !== "" || next.itemId !== undefined) closeMedia();
  const params = {
    q: next.text,
    like: next.itemId,
    modality: next.modality,
    centre: next.centering ? "yes" : undefined,
    view: next.layout,
    order: next.order === "oldest" ? undefined : next.order,
    filter: next.filter,
    chosen: next.chosen,
  };
  const path = next.collection === undefined ? [] : [next.collection];
  navigate("search", path, { params, replace });
}

export function askWithMedia(file: Blob & { name?: string }, modality: "image" | "audio"): void {
  ask({ text: "", itemId: undefined });
  closeMedia();
  const name = file.name ?? (modality === "image" ? "pasted picture" : "recording");
  mediaQuery.value = { modality, blob: file, url: URL.createObjectURL(file), name };
}

// Back to a sentence or an item: the picture or sound is no longer the query.
query.subscribe(({ text, itemId }) => {
  if (text !== "" || itemId !== undefined) closeMedia();
});

export function closeMedia(): void {
  if (mediaQuery.peek() !== undefined) URL.revokeObjectURL(mediaQuery.peek()!.url);
  mediaQuery.value = undefined;
}
