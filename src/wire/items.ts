import { z } from "zod";
import { MediaUrl, Warnings } from "./common.js";
import { EmbeddingFormat, embeddingFields } from "./embeddings.js";
import { ErrorBody } from "./error.js";
import { AnyObject, listOf, Media, Modality, optional, withDefault } from "./field-types.js";
import { FilterField } from "./filter-field.js";

/** An item in all forms of adding it; also a line of an export. */
export const ItemBody = z.strictObject({
  id: optional(z.string()),
  text: optional(z.string().min(1)),
  image: optional(Media),
  audio: optional(Media),
  ...embeddingFields,
  modality: optional(Modality),
  space: optional(z.string().min(1)),
  original: optional(z.strictObject({ space: z.string().min(1), ...embeddingFields })),
  /** Beside an embedding: the picture or sound that it is of, for a collection that keeps media. */
  media: optional(Media),
  metadata: optional(AnyObject),
  source: optional(z.string()),
  content_hash: optional(z.string()),
  /** ISO 8601; by default now, or the time of a replaced item. */
  added_at: optional(z.string()),
});
export type ItemBody = z.infer<typeof ItemBody>;

/** More come as a stream of lines. */
const maxItems = 100_000;
/** Each is an `ItemBody`; an invalid one fails alone. */
export const ItemsBody = z.strictObject({ items: listOf(z.unknown(), { max: maxItems }) });

/** What JSON may add: several, or one by itself. */
export const AddItemsBody = z.union([ItemsBody, ItemBody]);

/** An item's embedding is returned only on request: it is most of an item's size. */
const include = z.enum(["embedding"]).optional();
export const ListQuery = z.strictObject({
  limit: z.coerce.number<number>().int().min(1).max(1000).default(100),
  after: z.string().min(1).optional(),
  order: z.enum(["oldest", "newest", "id"]).default("oldest"),
  modality: Modality.optional(),
  /** As JSON. */
  filter: z.string().optional(),
  include,
});
export const ItemQuery = z.strictObject({ include });
/** Of an address that the server has signed: `media_url` of an item. */
export const MediaQuery = z.strictObject({
  expires: z.string().optional(),
  signature: z.string().optional(),
});
export const ExportQuery = z.strictObject({
  encoding_format: EmbeddingFormat.default("float"),
  /** Whether kept media come with their items, as base64. */
  media: z.enum(["true", "false"]).default("false"),
});

const Ids = listOf(z.string(), { max: 100_000 });
/** Not null: a program whose change is missing must not be told that all is as it should be. */
const changes = {
  metadata: AnyObject.optional(),
  /** Members that join lists, each once: `{"tags": ["cat"]}`, by field or dot path. */
  add: AnyObject.optional(),
  /** Members that leave lists; a list that is then empty goes too. */
  remove: AnyObject.optional(),
};
/**
 * Metadata only: merged into the item's (RFC 7396: null removes a key), or replacing it with
 * `replace`; then members of lists leave and join. At least one of the three.
 */
export const PatchBody = z.strictObject({
  ...changes,
  replace: withDefault(z.boolean(), false),
});
export type PatchBody = z.infer<typeof PatchBody>;
/**
 * For items by ids or a filter, or individually for each of `items`: exactly one of them.
 */
export const PatchManyBody = z.strictObject({
  ids: Ids.optional(),
  filter: z.unknown().optional(),
  items: listOf(z.strictObject({ id: z.string(), ...changes }), { max: 100_000 }).optional(),
  ...changes,
  replace: withDefault(z.boolean(), false),
});
/** Neither may be null: a program whose list or filter is missing must not delete anything. */
export const DeleteBody = z.strictObject({ ids: Ids.optional(), filter: z.unknown().optional() });
/** Neither may be null, as above. */
export const MediaArchiveBody = z.strictObject({
  ids: listOf(z.string(), { max: 20_000 }).optional(),
  filter: FilterField,
});
export type MediaArchiveBody = z.infer<typeof MediaArchiveBody>;
export const MediaArchiveAnswer = z.object({
  /** A path below the server's address, signed where keys are needed. */
  url: MediaUrl,
  files: z.int(),
  /** Of the zip file. */
  bytes: z.int(),
  /** Items of which no file is kept. */
  without_media: z.int(),
});
export type MediaArchiveAnswer = z.infer<typeof MediaArchiveAnswer>;
export const HashesBody = z.strictObject({ ids: Ids });

const Stored = z.object({
  id: z.string(),
  status: z.literal("stored"),
  replaced: z.boolean(),
  warnings: Warnings.optional(),
});
const Failed = z.object({
  /** Null when it could not be read. */
  id: z.string().nullable(),
  status: z.literal("failed"),
  error: ErrorBody,
});
/** The status of one item of several. */
export const ItemStatus = z.discriminatedUnion("status", [Stored, Failed]);
export type ItemStatus = z.infer<typeof ItemStatus>;

/** A line of the answer to a stream. */
export const LineStatus = z.discriminatedUnion("status", [
  Stored,
  /**
   * `line` is counted from 1, blank ones too. Without it the whole stream has failed: what came
   * after was not added.
   */
  Failed.extend({ line: z.int().optional() }),
]);
export type LineStatus = z.infer<typeof LineStatus>;

export const StoredItem = Stored.extend({ space: z.string() });
export type StoredItem = z.infer<typeof StoredItem>;

export const ItemStatuses = z.object({
  statuses: z.array(ItemStatus),
  stored: z.int(),
  failed: z.int(),
});
export type ItemStatuses = z.infer<typeof ItemStatuses>;

const facts = {
  id: z.string(),
  modality: Modality,
  metadata: z.record(z.string(), z.unknown()),
  /** The text of an item made from one. */
  text: z.string().optional(),
  /** ISO 8601; absent for what was stored before times were kept. */
  added_at: z.string().optional(),
  source: z.string().optional(),
  content_hash: z.string().optional(),
};
export const ItemAnswer = z.object({
  ...facts,
  media_url: MediaUrl.optional(),
  embedding: z.array(z.number()).optional(),
});
export type ItemAnswer = z.infer<typeof ItemAnswer>;

export const ItemPage = z.object({
  data: z.array(ItemAnswer),
  /** Of the page after; absent at the end. */
  next_cursor: z.string().optional(),
});
export type ItemPage = z.infer<typeof ItemPage>;

const numbers = {
  embedding: z.array(z.number()).optional(),
  embedding_base64: z.string().optional(),
};
/** Can be added again as it is. */
export const ExportedItem = z.object({
  ...facts,
  space: z.string(),
  ...numbers,
  original: z.object({ space: z.string(), ...numbers }).optional(),
  /** Base64, where it was asked for and the item has one. */
  media: z.string().optional(),
});
export type ExportedItem = z.infer<typeof ExportedItem>;

/** `missing` ids do not exist. */
export const ItemsPatched = z.object({
  updated: z.int(),
  unchanged: z.int(),
  /** With `items`: those whose metadata did not change. */
  unchanged_ids: z.array(z.string()).optional(),
  missing: z.array(z.string()),
  failed: z.array(Failed.omit({ status: true })),
  /** With a filter, which lists 100 of `failed` at most: how many more failed. */
  more_failed: z.int().optional(),
});
export type ItemsPatched = z.infer<typeof ItemsPatched>;

export const ItemDeleted = z.object({ id: z.string(), deleted: z.literal(true) });
export type ItemDeleted = z.infer<typeof ItemDeleted>;
export const ItemsDeleted = z.object({ deleted: z.int() });
export type ItemsDeleted = z.infer<typeof ItemsDeleted>;
export const ItemHashes = z.object({ hashes: z.record(z.string(), z.string()) });
export type ItemHashes = z.infer<typeof ItemHashes>;
