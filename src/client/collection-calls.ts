import type { z } from "zod";
import type { CollectionAnswer, CollectionList, NewCollection } from "../wire/collections.js";
import type { Deleted } from "../wire/common.js";
import type { QueryBody, SearchAnswer, SearchAnswers, SearchBody } from "../wire/search.js";
import type { WithUploads } from "./body.js";
import { type Calls, pathOf } from "./calls.js";
import type { CallOptions } from "./send.js";

const at = (name: string) => pathOf("v1", "collections", name);

type Query = WithUploads<z.input<typeof QueryBody>>;
/** Several at once; settings beside them hold for each that has none of its own. */
type Queries = WithUploads<z.input<typeof SearchBody>> & { queries: readonly Query[] };

export interface Search {
  (collection: string, request: Queries, options?: CallOptions): Promise<SearchAnswers>;
  (collection: string, request: Query, options?: CallOptions): Promise<SearchAnswer>;
}

export const collectionCalls = ({ get, post, delete: remove }: Calls) => ({
  createCollection: (request: z.input<typeof NewCollection>, options?: CallOptions) =>
    post<CollectionAnswer>("/v1/collections", request, options),

  listCollections: (options?: CallOptions) => get<CollectionList>("/v1/collections", options),

  getCollection: (name: string, options?: CallOptions) => get<CollectionAnswer>(at(name), options),

  deleteCollection: (name: string, options?: CallOptions) => remove<Deleted>(at(name), options),

  /** One query, or with `queries` several. */
  search: ((collection: string, request: object, options?: CallOptions) =>
    post(`${at(collection)}/search`, request, options)) as Search,
});

export type CollectionCalls = ReturnType<typeof collectionCalls>;
