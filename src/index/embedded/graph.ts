/**
 * An approximate index: one node for each row number in it. It only ever grows; what was deleted is
 * left out by whoever asks.
 */
export interface Graph {
  /** Nodes. */
  readonly size: number;
  /**
   * @param rows  N row numbers that are not in it yet.
   * @param vectors  [N, dimensions], unit length, starting at the beginning of their buffer.
   */
  add(rows: readonly number[], vectors: Float32Array): void;
  /**
   * The first `count` rows, at most `efSearch`, that a search of width `efSearch` finds, roughly
   * best first.
   */
  search(query: Float32Array, efSearch: number, count: number): number[];
  /**
   * The row of a node whose vector lies so near this one that the two should not both be nodes
   * (grouped-graph.ts).
   */
  twinOf(vector: Float32Array): number | undefined;
  /** Writes it to `file`, which does not exist yet. */
  save(file: string): void;
}

/** A library that makes graphs. */
export interface GraphEngine {
  /** Part of a snapshot's identity: another name, another format. */
  readonly name: string;
  create(dimensions: number): Graph;
  /** @param file  written by `save` and proven unchanged: native loaders crash on anything else. */
  load(file: string, dimensions: number): Graph;
}
