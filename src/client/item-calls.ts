import type { z } from "zod";
import type {
  DeleteBody,
  ExportedItem,
  ExportQuery,
  ItemAnswer,
  ItemBody,
  ItemDeleted,
  ItemHashes,
  ItemPage,
  ItemQuery,
  ItemStatuses,
  ItemsDeleted,
  ItemsPatched,
  LineStatus,
  ListQuery,
  MediaArchiveAnswer,
  MediaArchiveBody,
  MediaQuery,
  PatchBody,
  PatchManyBody,
  StoredItem,
} from "../wire/items.js";
import type { WithUploads } from "./body.js";
import { type Calls, pathOf, queryOf } from "./calls.js";
import { linesOfItems, type StreamOptions, sendLines } from "./item-stream.js";
import { valuesOf } from "./lines.js";
import type { CallOptions } from "./send.js";

/** An item to add; docs/api.md says what its fields are. */
export type NewItem = WithUploads<z.input<typeof ItemBody>>;

const itemsAt = (collection: string) => `${pathOf("v1", "collections", collection)}/items`;
const mediaAt = (collection: string) => `${pathOf("v1", "collections", collection)}/media`;
const itemAt = (collection: string, id: string) => itemsAt(collection) + pathOf(id);

export const itemCalls = ({ send, get, post, patch, postForm, delete: remove, blob }: Calls) => ({
  /** One item; a file is sent unchanged. */
  addItem: (collection: string, item: NewItem, options?: CallOptions) =>
    postForm<StoredItem>(itemsAt(collection), item, options),

  /** Several in one request, with a status for each. For many, use `addItemStream`. */
  addItems: (collection: string, items: readonly NewItem[], options?: CallOptions) =>
    post<ItemStatuses>(itemsAt(collection), { items }, options),

  /** Any number, no faster than they are stored: a status for each, in order, once it is safe. */
  addItemStream: (
    collection: string,
    items: Iterable<NewItem> | AsyncIterable<NewItem>,
    options?: StreamOptions,
  ): AsyncGenerator<LineStatus> =>
    sendLines(send, itemsAt(collection), linesOfItems(items), options),

  /** The same from lines of NDJSON, in pieces that each end with a line. */
  addItemLines: (
    collection: string,
    lines: AsyncIterable<Uint8Array>,
    options?: StreamOptions,
  ): AsyncGenerator<LineStatus> => sendLines(send, itemsAt(collection), lines, options),

  listItems: (collection: string, query: z.input<typeof ListQuery> = {}, options?: CallOptions) =>
    get<ItemPage>(itemsAt(collection) + queryOf(query), options),

  getItem: (
    collection: string,
    id: string,
    query: z.input<typeof ItemQuery> = {},
    options?: CallOptions,
  ) => get<ItemAnswer>(itemAt(collection, id) + queryOf(query), options),

  /**
   * Metadata alone: merged into the item's, or replacing it with `replace`; `add` and `remove`
   * change members of lists.
   */
  patchItem: (
    collection: string,
    id: string,
    request: z.input<typeof PatchBody>,
    options?: CallOptions,
  ) => patch<ItemAnswer>(itemAt(collection, id), request, options),

  patchItems: (collection: string, request: z.input<typeof PatchManyBody>, options?: CallOptions) =>
    patch<ItemsPatched>(itemsAt(collection), request, options),

  deleteItem: (collection: string, id: string, options?: CallOptions) =>
    remove<ItemDeleted>(itemAt(collection, id), options),

  deleteItems: (collection: string, request: z.input<typeof DeleteBody>, options?: CallOptions) =>
    post<ItemsDeleted>(`${itemsAt(collection)}/delete`, request, options),

  itemHashes: (collection: string, ids: readonly string[], options?: CallOptions) =>
    post<ItemHashes>(`${itemsAt(collection)}/hashes`, { ids }, options),

  itemPreview: (collection: string, id: string, options?: CallOptions): Promise<Blob> =>
    blob(`${itemAt(collection, id)}/preview`, { ...options }),

  /** Where the files of some items are read as one zip file: by ids or by a filter. */
  archiveMedia: (
    collection: string,
    items: z.input<typeof MediaArchiveBody>,
    options?: CallOptions,
  ) => post<MediaArchiveAnswer>(`${mediaAt(collection)}/archives`, items, options),

  /** That zip file, in memory; its address is the `url` of `archiveMedia`. */
  mediaArchive: (
    collection: string,
    archive: string,
    query: z.input<typeof MediaQuery> = {},
    options?: CallOptions,
  ): Promise<Blob> =>
    blob(`${mediaAt(collection)}/archives${pathOf(archive)}${queryOf(query)}`, { ...options }),

  /** The picture or sound it was made from, of a collection that keeps media. */
  itemMedia: (
    collection: string,
    id: string,
    query: z.input<typeof MediaQuery> = {},
    options?: CallOptions,
  ): Promise<Blob> => blob(`${itemAt(collection, id)}/media${queryOf(query)}`, { ...options }),

  /** Every item, as it can be added again. Throws ConnectionError when the stream is cut. */
  async *exportItems(
    collection: string,
    query: z.input<typeof ExportQuery> = {},
    options?: CallOptions,
  ): AsyncGenerator<ExportedItem> {
    const path = `${pathOf("v1", "collections", collection)}/export${queryOf(query)}`;
    yield* valuesOf<ExportedItem>(await send(path, options), options?.signal);
  },
});

export type ItemCalls = ReturnType<typeof itemCalls>;
