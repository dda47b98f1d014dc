import type { Filter } from "./filter.js";
import type { MediaReference } from "./item.js";
import type { Recall, SearchResult } from "./query.js";

/**
 * A rank: by similarity, best first, and the oldest row first among equals. A total order, so that
 * pages do not overlap.
 */
export interface Rank {
  similarity: number;
  row: number;
}

/** A checked query, as drivers get it. `modality` is a number (modalities.ts). */
export interface CoreQuery {
  embedding?: Float32Array;
  itemId?: string;
  topK: number;
  recall: Recall;
  filter?: Filter;
  modality?: number;
  minSimilarity?: number;
  after?: Rank;
  centering?: { queryModality?: number };
}

/** A driver's result. */
export interface CoreResult {
  neighbors: {
    id: string;
    modality: number;
    similarity: number;
    metadata: string;
    source: string | null;
    text: string | null;
    media: MediaReference | undefined;
  }[];
  /** Estimated size as JSON. */
  bytes: number;
  last?: Rank;
  plan: SearchResult["plan"];
}
