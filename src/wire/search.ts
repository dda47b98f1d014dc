import { z } from "zod";
import { MediaUrl, Warnings } from "./common.js";
import { embeddingFields } from "./embeddings.js";
import { listOf, Media, Modality, optional } from "./field-types.js";
import { FilterField } from "./filter-field.js";

export const searchSettings = {
  top_k: optional(z.int().positive()),
  filter: FilterField,
  modality: optional(Modality),
  min_similarity: optional(z.number().min(-1).max(1)),
  /** For a text query: ends the list where fewer than this share of neutral queries score lower. */
  min_relevance: optional(z.number().min(0).max(1)),
  recall: optional(z.enum(["exact", "high", "fast"])),
  centering: optional(z.boolean()),
};
export const QueryBody = z.strictObject({
  text: optional(z.string().min(1)),
  image: optional(Media),
  audio: optional(Media),
  ...embeddingFields,
  item_id: optional(z.string().min(1)),
  space: optional(z.string().min(1)),
  query_modality: optional(Modality),
  cursor: optional(z.string().min(1)),
  ...searchSettings,
});
export type QueryBody = z.infer<typeof QueryBody>;
/**
 * Every query is at least a text: more than this are refused unread; `maxInputs` is checked
 * afterwards.
 */
const maxQueries = 100_000;
export const SearchBody = QueryBody.extend({
  queries: optional(listOf(QueryBody, { min: 1, max: maxQueries })),
});
export type SearchBody = z.infer<typeof SearchBody>;

export const FoundItem = z.object({
  id: z.string(),
  /** Cosine, in [-1, 1]. */
  similarity: z.number(),
  /** With `min_relevance`: share of neutral queries whose best item is less similar. */
  relevance: z.number().optional(),
  modality: Modality,
  metadata: z.record(z.string(), z.unknown()),
  source: z.string().optional(),
  /** The text of an item made from one. */
  text: z.string().optional(),
  media_url: MediaUrl.optional(),
});

const shared = { model: z.string().nullable(), space: z.string() };
const results = {
  plan: z.enum(["exact", "scan", "graph"]),
  /** Best first. */
  results: z.array(FoundItem),
  /** Present when there may be more. */
  next_cursor: z.string().optional(),
  warnings: Warnings.optional(),
};
/** The encoder and bridge that a query went through; empty for an embedding or an item. */
const Path = z.array(z.string()).readonly();

export const SearchAnswer = z.object({ path: Path, ...shared, ...results });
export type SearchAnswer = z.infer<typeof SearchAnswer>;

/** The answer to `queries`, one each, in order; the outer path is null when they differ. */
export const SearchAnswers = z.object({
  path: Path.nullable(),
  ...shared,
  answers: z.array(z.object({ path: Path, ...results })),
});
export type SearchAnswers = z.infer<typeof SearchAnswers>;
