import type { EngineName } from "./graph-engines.js";

/** What the worker thread (store-core.ts) is started with. */
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
