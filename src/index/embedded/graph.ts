/**
 * An approximate index: one node for each row number in it. It only grows; the caller skips deleted
 * rows.
 */
export interface Graph {
  /** Nodes. */
  readonly size: number;
  /**
   * @param rows  N new row numbers.
   * @param vectors  [N, dimensions], unit length, starting at the beginning of their buffer.
   */
  add(rows: readonly number[], vectors: Float32Array): void;
  /**
   * The first `count` rows, at most `efSearch`, that a search of width `efSearch` finds, roughly
   * best first.
   */
  search(query: Float32Array, efSearch: number, count: number): number[];
  /**
   * The row of a node whose vector is so close to this one that they should share a node
   * (grouped-graph.ts).
   */
  twinOf(vector: Float32Array): number | undefined;
  /** Writes it to `file`, which does not exist yet. */
  save(file: string): void;
}

/** A library that builds graphs. */
export interface GraphEngine {
  /** Part of a snapshot's identity: names the format. */
  readonly name: string;
  create(dimensions: number): Graph;
  /** @param file  written by `save` and verified: native loaders crash on anything else. */
  load(file: string, dimensions: number): Graph;
}
