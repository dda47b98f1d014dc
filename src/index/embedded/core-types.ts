import type { Filter } from "../filter.js";
import type { Recall, SearchResult } from "../query.js";
import type { EngineName } from "./graph-engines.js";
import type { Rank } from "./top-k.js";

// What passes between the main thread (embedded-store.ts) and the worker thread (store-core.ts).

export interface CoreOptions {
  dataDir: string;
  engine: EngineName;
  /** Whether a store was opened in the folder before this process locked it. */
  wasUsed?: boolean;
  /** Up to this many items every search is a scan. */
  scanUpTo: number;
  /** Up to this many, `recall: "high"` is one. */
  scanHighUpTo: number;
  /**
   * A snapshot is written when the graph has changed by this many rows since the last one, and by a
   * fifth.
   */
  snapshotAfter: number;
  /** Largest database in pages of 16 KB: for tests of a full disk. */
  maxPages?: number;
}

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
