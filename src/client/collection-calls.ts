import type { z } from "zod";
import type { ClassifyBody } from "../wire/classify.js";
import type { CollectionFields, FieldsQuery } from "../wire/collection-fields.js";
import type {
  AliasAnswer,
  AliasBody,
  AliasList,
  CollectionAnswer,
  CollectionChange,
  CollectionList,
  NewCollection,
} from "../wire/collections.js";
import type { Deleted } from "../wire/common.js";
import type { JobStarted } from "../wire/jobs.js";
import type { LabelSetAnswer, LabelSetBody, LabelSetList } from "../wire/label-sets.js";
import type {
  LayOut,
  MapAnswer,
  MapIds,
  MapIdsQuery,
  MapNames,
  MapPointsQuery,
  MapQuery,
  MapValues,
  MapValuesQuery,
} from "../wire/maps.js";
import type { MoveBody } from "../wire/move.js";
import type { QueryBody, SearchAnswer, SearchAnswers, SearchBody } from "../wire/search.js";
import type { WithUploads } from "./body.js";
import { type Calls, pathOf, queryOf } from "./calls.js";
import type { CallOptions } from "./send.js";

const at = (name: string) => pathOf("v1", "collections", name);
const labelsAt = (name: string) => pathOf("v1", "label-sets", name);

type Query = WithUploads<z.input<typeof QueryBody>>;
/** Several at once; shared settings apply to each query that does not set its own. */
type Queries = WithUploads<z.input<typeof SearchBody>> & { queries: readonly Query[] };

export interface Search {
  (collection: string, request: Queries, options?: CallOptions): Promise<SearchAnswers>;
  (collection: string, request: Query, options?: CallOptions): Promise<SearchAnswer>;
}

/** Collections, their aliases, and the label sets that tag them. */
export const collectionCalls = ({ get, post, put, patch, delete: remove, blob }: Calls) => ({
  createCollection: (request: z.input<typeof NewCollection>, options?: CallOptions) =>
    post<CollectionAnswer>("/v1/collections", request, options),

  listCollections: (options?: CallOptions) => get<CollectionList>("/v1/collections", options),

  getCollection: (name: string, options?: CallOptions) => get<CollectionAnswer>(at(name), options),

  changeCollection: (
    name: string,
    request: z.input<typeof CollectionChange>,
    options?: CallOptions,
  ) => patch<CollectionAnswer>(at(name), request, options),

  deleteCollection: (name: string, options?: CallOptions) => remove<Deleted>(at(name), options),

  listAliases: (options?: CallOptions) => get<AliasList>("/v1/aliases", options),

  putAlias: (alias: string, request: z.input<typeof AliasBody>, options?: CallOptions) =>
    put<AliasAnswer>(pathOf("v1", "aliases", alias), request, options),

  deleteAlias: (alias: string, options?: CallOptions) =>
    remove<Deleted>(pathOf("v1", "aliases", alias), options),

  /** The fields of the metadata with their values and counts. */
  collectionFields: (
    name: string,
    query: z.input<typeof FieldsQuery> = {},
    options?: CallOptions,
  ) => get<CollectionFields>(`${at(name)}/fields${queryOf(query)}`, options),

  /** A collection in the plane; `mapPoints`, … take the `map` of the answer. */
  map: (name: string, query: z.input<typeof MapQuery> = {}, options?: CallOptions) =>
    get<MapAnswer>(`${at(name)}/map${queryOf(query)}`, options),

  /** Lays a collection out by UMAP, as a job. */
  layOutMap: (name: string, request: z.input<typeof LayOut>, options?: CallOptions) =>
    post<JobStarted>(`${at(name)}/map`, request, options),

  mapNames: (name: string, query: z.input<typeof MapPointsQuery>, options?: CallOptions) =>
    get<MapNames>(`${at(name)}/map/names${queryOf(query)}`, options),

  /** `count` times x and y (float32, little-endian), then `count` times the modality (a byte). */
  mapPoints: (
    name: string,
    query: z.input<typeof MapPointsQuery>,
    options?: CallOptions,
  ): Promise<Blob> => blob(`${at(name)}/map/points${queryOf(query)}`, { ...options }),

  /** The value of a metadata field for each point. */
  mapValues: (name: string, query: z.input<typeof MapValuesQuery>, options?: CallOptions) =>
    get<MapValues>(`${at(name)}/map/values${queryOf(query)}`, options),

  mapIds: (name: string, query: z.input<typeof MapIdsQuery>, options?: CallOptions) =>
    get<MapIds>(`${at(name)}/map/ids${queryOf(query)}`, options),

  /** Tags stored items, as a job. */
  classifyCollection: (
    name: string,
    request: z.input<typeof ClassifyBody>,
    options?: CallOptions,
  ) => post<JobStarted>(`${at(name)}/classify`, request, options),

  /** Embeds a collection again with another model, as a job. */
  moveCollection: (name: string, request: z.input<typeof MoveBody>, options?: CallOptions) =>
    post<JobStarted>(`${at(name)}/move`, request, options),

  listLabelSets: (options?: CallOptions) => get<LabelSetList>("/v1/label-sets", options),

  getLabelSet: (name: string, options?: CallOptions) =>
    get<LabelSetAnswer>(labelsAt(name), options),

  putLabelSet: (name: string, request: z.input<typeof LabelSetBody>, options?: CallOptions) =>
    put<LabelSetAnswer>(labelsAt(name), request, options),

  deleteLabelSet: (name: string, options?: CallOptions) => remove<Deleted>(labelsAt(name), options),

  /** One query, or several with `queries`. */
  search: ((collection: string, request: object, options?: CallOptions) =>
    post(`${at(collection)}/search`, request, options)) as Search,
});

export type CollectionCalls = ReturnType<typeof collectionCalls>;
