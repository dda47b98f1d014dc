import type { StoredItem } from "./item.js";
import type { ScanOptions, VectorStore } from "./vector-store.js";

/** Every item of a collection, page by page. */
export async function* scanPages(
  store: Pick<VectorStore, "page">,
  collection: string,
  { batchSize = 500, ...options }: ScanOptions = {},
): AsyncIterable<StoredItem> {
  for (let after: string | undefined; ; ) {
    const page = await store.page(collection, { ...options, limit: batchSize, after });
    yield* page.items;
    if (page.nextCursor === undefined) return;
    after = page.nextCursor;
  }
}
