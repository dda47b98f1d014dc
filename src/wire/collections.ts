import { z } from "zod";
import { HeadReference } from "./common.js";
import { listOf, Modality, optional, withDefault } from "./field-types.js";

export const NewCollection = z.strictObject({
  name: z.string(),
  model: optional(z.string()),
  /** A head of the model, whose versions the collection follows. */
  head: optional(z.string().min(1)),
  space: optional(z.string().min(1)),
  dimensions: optional(z.int().positive()),
  fields: withDefault(listOf(z.string(), { max: 32 }), []),
  /** Keep a thumbnail, waveform or beginning of each item: some 4 KB. */
  previews: withDefault(z.boolean(), true),
  /** Keep the pictures and sounds that items are made from. */
  keep_media: withDefault(z.boolean(), false),
});
export type NewCollection = z.infer<typeof NewCollection>;

export const CollectionAnswer = z.object({
  name: z.string(),
  /** Null for custom vectors. */
  model: z.string().nullable(),
  /**
   * Whether that model is loaded, with the weights that made its items: else it can be searched by
   * embedding and item only. Null for vectors of the user's own.
   */
  model_loaded: z.boolean().nullable(),
  head: HeadReference.nullable(),
  space: z.string(),
  dimensions: z.int(),
  fields: z.array(z.string()),
  previews: z.boolean(),
  keep_media: z.boolean(),
  /** Further names of it. */
  aliases: z.array(z.string()),
  /** ISO 8601. */
  created_at: z.string(),
  count: z.int(),
  count_by_modality: z.partialRecord(Modality, z.int()),
  index: z.object({
    engine: z.string(),
    /** `none`: too small to need a graph. */
    state: z.enum(["none", "building", "ready"]),
    indexed: z.int(),
  }),
});
export type CollectionAnswer = z.infer<typeof CollectionAnswer>;

/** What can be changed later: at least one of them. */
export const CollectionChange = z.strictObject({
  /** The whole list. */
  fields: optional(listOf(z.string(), { max: 32 })),
  /** Of items that are added from now on. */
  keep_media: optional(z.boolean()),
});

export const AliasBody = z.strictObject({ collection: z.string().min(1) });
export const AliasAnswer = z.object({ alias: z.string(), collection: z.string() });
export type AliasAnswer = z.infer<typeof AliasAnswer>;
export const AliasList = z.object({ data: z.array(AliasAnswer) });
export type AliasList = z.infer<typeof AliasList>;

export const CollectionList = z.object({ data: z.array(CollectionAnswer) });
export type CollectionList = z.infer<typeof CollectionList>;
