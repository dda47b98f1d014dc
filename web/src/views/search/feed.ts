import { computed, effect, signal } from "@preact/signals";
import { ApiError } from "../../../../src/client/client.js";
import type { Modality } from "../../../../src/encoders/encoder.js";
import type { SearchAnswer } from "../../../../src/wire/search.js";
import { needsKey, returns, sentenceOf, server } from "../../server.js";
import { chosenIds, filterByIds, nextByIds } from "./chosen.js";
import { conditionsOf, filterOf } from "./conditions.js";
import { withoutHidden } from "./hidden.js";
import { mediaQuery, type Query, query } from "./query.js";

/** An item as it is shown: of a search with its similarity, of a list without. */
export interface Shown {
  id: string;
  modality: Modality;
  metadata: Record<string, unknown>;
  similarity?: number;
  /** Share of unrelated words that find nothing as near; only for a sentence. */
  relevance?: number;
  /** Where its picture or sound is, as far as that is kept. */
  media_url?: string;
  text?: string;
  source?: string;
  added_at?: string;
}

export interface Feed {
  /** `unknown`: the items that the address speaks of were chosen in another window. */
  state: "loading" | "ready" | "failed" | "gone" | "unknown";
  items: readonly Shown[];
  /** The path of the search; undefined for a list. */
  found?: Pick<SearchAnswer, "path" | "model" | "plan" | "warnings"> & { ms: number };
  /** Why it failed; of a feed that is ready, why the rest is missing. */
  sentence: string;
  cursor?: string;
}

const firstPage = 100;
const nextPage = 1000;
const typingPauseMs = 250;

/** Results that are less relevant are less certainly about the sentence: see docs/search.md. */
const leastRelevance = 0.75;

export const feed = signal<Feed>({ state: "loading", items: [], sentence: "" });
/** Counts changes of metadata that this page made. */
export const metadataChanges = signal(0);
/** The first item that is not clearly about the sentence; undefined where there is none. */
export const cut = computed(() => {
  const at = feed.value.items.findIndex(({ relevance = 1 }) => relevance < leastRelevance);
  return at < 0 ? undefined : at;
});
let asking = new AbortController();

// The items of one collection are never shown as another's.
let lastCollection: string | undefined;
query.subscribe(({ collection = lastCollection }) => {
  if (collection !== lastCollection) feed.value = { state: "loading", items: [], sentence: "" };
  lastCollection = collection;
});

/** Follows the query while the view is shown. @returns how to stop. */
export function startFeed(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: Query | undefined;
  const stop = effect(() => {
    const requested = query.value;
    const media = mediaQuery.value;
    if (needsKey.value || requested.collection === undefined) return;
    const isTyping =
      last !== undefined &&
      last.collection === requested.collection &&
      last.text !== requested.text;
    last = requested;
    clearTimeout(timer);
    timer = setTimeout(() => void load(requested, media), isTyping ? typingPauseMs : 0);
  });
  const stopRetrying = returns.subscribe(() => {
    const { state, sentence } = feed.peek();
    if (state === "failed") void reload();
    else if (sentence !== "") void loadMore();
  });
  return () => {
    clearTimeout(timer);
    asking.abort();
    stop();
    stopRetrying();
  };
}

export const reload = () => load(query.peek(), mediaQuery.peek());

/** Shows what was added meanwhile, and as much as was shown before. */
export async function showAdded(): Promise<void> {
  const { state, items, cursor, found } = feed.peek();
  // What was added to a list with the oldest first comes at its end: only when that is in sight
  const isInSight = found !== undefined || cursor === undefined || query.peek().order !== "oldest";
  if (state !== "ready") await reload();
  else if (isInSight) await load(query.peek(), mediaQuery.peek(), items.length);
}

/** With `least`, of a feed that is shown, at least so many items are loaded before it changes. */
async function load(
  requested: Query,
  media: (typeof mediaQuery)["value"],
  least?: number,
): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const { collection, chosen } = requested;
  if (chosen !== undefined && chosenIds(collection!, chosen) === undefined) {
    feed.value = { state: "unknown", items: [], sentence: "" };
    return;
  }
  if (least === undefined) feed.value = { ...feed.peek(), state: "loading" };
  try {
    const size = Math.min(Math.max(firstPage, least ?? 0), nextPage);
    let page = await pageOf(requested, media, { size, signal });
    while (least !== undefined && page.cursor !== undefined && page.items.length < least) {
      const options = { size: nextPage, signal, after: page.cursor };
      const { items, cursor } = await pageOf(requested, media, options);
      page = { ...page, items: [...page.items, ...items], cursor };
    }
    if (!signal.aborted) feed.value = { state: "ready", sentence: "", ...page };
  } catch (error) {
    if (signal.aborted || needsKey.peek()) return;
    const isGone = error instanceof ApiError && error.code === "not_found";
    feed.value = { state: isGone ? "gone" : "failed", items: [], sentence: sentenceOf(error) };
  }
}

let isLoadingMore = false;

/** The page after, when the last rows come into sight. */
export async function loadMore(): Promise<void> {
  const { cursor, state } = feed.peek();
  if (cursor === undefined || state !== "ready" || isLoadingMore) return;
  isLoadingMore = true;
  const { signal } = asking;
  try {
    const options = { size: nextPage, signal, after: cursor };
    const page = await pageOf(query.peek(), mediaQuery.peek(), options);
    const now = feed.peek();
    if (signal.aborted || now.cursor !== cursor) return;
    const items = [...now.items, ...page.items];
    feed.value = { ...now, cursor: page.cursor, items, sentence: "" };
  } catch (error) {
    if (!signal.aborted) feed.value = { ...feed.peek(), sentence: sentenceOf(error) };
  } finally {
    isLoadingMore = false;
  }
}

interface PageOptions {
  size: number;
  signal: AbortSignal;
  after?: string;
}
type Page = Pick<Feed, "items" | "cursor" | "found">;

async function pageOf(
  requested: Query,
  media: (typeof mediaQuery)["value"],
  options: PageOptions,
): Promise<Page> {
  const page = await wholePageOf(requested, media, options);
  return { ...page, items: withoutHidden(requested.collection!, page.items) };
}

async function wholePageOf(
  requested: Query,
  media: (typeof mediaQuery)["value"],
  { size, signal, after }: PageOptions,
): Promise<Page> {
  const client = server.peek();
  const collection = requested.collection!;
  const { modality, filter, chosen, order } = requested;
  const ids = chosen === undefined ? undefined : chosenIds(collection, chosen)!;
  const content =
    media !== undefined
      ? { [media.modality]: media.blob }
      : requested.itemId !== undefined
        ? { item_id: requested.itemId }
        : requested.text.trim() !== ""
          ? { text: requested.text }
          : undefined;
  if (content === undefined && ids !== undefined)
    return chosenPage(requested, ids, { size, signal, from: Number(after ?? 0) });
  if (content === undefined) {
    const list = { limit: size, after, modality, filter, order };
    const { data, next_cursor } = await client.listItems(collection, list, { signal });
    return { items: data, cursor: next_cursor };
  }
  const start = performance.now();
  const { results, next_cursor, path, model, plan, warnings } = await client.search(
    collection,
    {
      ...content,
      top_k: size,
      modality,
      centering: requested.centering || undefined,
      // Cuts nothing off, but requests the relevance of each
      min_relevance: "text" in content ? 0 : undefined,
      ...(filter !== undefined && { filter: JSON.parse(filter) }),
      ...(ids !== undefined && {
        filter: { and: [filterByIds(ids), ...(conditionsOf(filter) ?? [])] },
      }),
      ...(after !== undefined && { cursor: after }),
    },
    { signal },
  );
  const ms = performance.now() - start;
  return { items: results, cursor: next_cursor, found: { path, model, plan, warnings, ms } };
}

/** Chosen items, which come oldest first: as many to a request as its address has room for. */
async function chosenPage(
  { collection, modality, filter, order }: Query,
  chosen: readonly string[],
  { size, signal, from }: { size: number; signal: AbortSignal; from: number },
): Promise<Page> {
  const conditions = conditionsOf(filter) ?? [];
  const ids = { oldest: chosen, newest: chosen.toReversed(), id: chosen.toSorted() }[order];
  const items: Shown[] = [];
  let next = from;
  while (next < ids.length && items.length < size) {
    const part = nextByIds(ids, next);
    const all = filterOf([part.filter, ...conditions]);
    const list = { limit: 1000, modality, order, filter: all };
    const { data } = await server.peek().listItems(collection!, list, { signal });
    items.push(...data);
    next = part.end;
  }
  return { items, cursor: next < ids.length ? String(next) : undefined };
}

/** Removes items from the list at once. */
export function hide(ids: ReadonlySet<string>): void {
  feed.value = { ...feed.peek(), items: feed.peek().items.filter(({ id }) => !ids.has(id)) };
}

/** Updates the metadata in the list. */
export function showMetadata(changed: ReadonlyMap<string, Record<string, unknown>>): void {
  const items = feed.peek().items.map((item) => {
    const metadata = changed.get(item.id);
    return metadata === undefined ? item : { ...item, metadata };
  });
  feed.value = { ...feed.peek(), items };
  metadataChanges.value++;
}
