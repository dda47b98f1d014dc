import type { Embedding, Modality } from "../encoders/encoder.js";
import type { Filter } from "./filter.js";
import type { JsonObject, MediaReference } from "./item.js";

/**
 * Accuracy against speed: `exact` compares with every vector; `high` finds all of the
 * exact answer up to 250,000 items and 98.9 % at a million for queries of another modality than the
 * items, `fast` about 96 % (bench/README.md).
 */
export type Recall = "exact" | "high" | "fast";

export interface Query {
  /**
   * The query: a unit-length embedding in the collection's space, or the id of one of its items
   * (which is not its own neighbour). Exactly one of the two.
   */
  embedding?: Embedding;
  itemId?: string;
  /** How many neighbours: 1 to 10,000. */
  topK: number;
  filter?: Filter;
  /** Only neighbours of this modality. */
  modality?: Modality;
  /** Only neighbours with at least this similarity. */
  minSimilarity?: number;
  /** Default `high`. */
  recall?: Recall;
  /** Corrects the modality gap: see `Centering`. */
  centering?: Centering;
  /** `nextCursor` of the previous page. */
  cursor?: string;
}

/**
 * Similarity is then the cosine between mean-centred, renormalised vectors: each item minus the
 * mean of its modality in the collection, the query minus the mean of its own modality there (the
 * query is unchanged when there are no such items). Without it, a collection of several modalities
 * answers with the query's own modality only. Always an exact scan. Source: Li et al. 2025
 * (GR-CLIP).
 */
export interface Centering {
  /** The query's modality; not needed with `itemId`. */
  queryModality?: Modality;
}

export interface Neighbor {
  id: string;
  /** Cosine, in [-1, 1]. */
  similarity: number;
  modality: Modality;
  metadata: JsonObject;
  source?: string;
  text?: string;
  media?: MediaReference;
}

/** Best first; equal similarities in the order in which the items were added. */
export interface SearchResult {
  neighbors: Neighbor[];
  /** Present when there may be more. */
  nextCursor?: string;
  /**
   * How the answer was found: by a float32 scan, an 8-bit scan, or the graph.
   */
  plan: "exact" | "scan" | "graph";
}
