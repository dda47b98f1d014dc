import type { Filter } from "./filter.js";
import type { Recall, SearchResult } from "./query.js";

/**
 * A place in a ranking: by similarity, best first, and among equals the oldest row first. Total, so
 * that pages do not overlap.
 */
export interface Rank {
  similarity: number;
  row: number;
}

/** A checked query, as drivers answer it. `modality` is a number (modalities.ts). */
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

/** What a driver found for it. */
export interface CoreResult {
  neighbors: {
    id: string;
    modality: number;
    similarity: number;
    metadata: string;
    source: string | null;
    text: string | null;
  }[];
  /** About how many it has as JSON. */
  bytes: number;
  last?: Rank;
  plan: SearchResult["plan"];
}
