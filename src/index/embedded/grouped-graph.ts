import type { Graph } from "./graph.js";

/**
 * A graph with one node for all rows whose vectors are (nearly) equal: the first is the node, the
 * others are linked to it. As separate nodes they would be each other's only neighbours and cut off
 * the region around them: with 5 % copies of three vectors, recall of other searches fell to .80
 * (docs/decisions/0056-copies-share-a-node.md).
 *
 * A node represents its vector even after its own row is deleted: later copies are still linked to
 * it.
 */
export class GroupedGraph {
  readonly #graph: Graph;
  /** By the node's row. */
  readonly #hanging = new Map<number, number[]>();
  #hangingCount = 0;

  /** @param links  pairs of a row and its node, from `links`. */
  constructor(graph: Graph, links: Float64Array = new Float64Array()) {
    this.#graph = graph;
    for (let i = 0; i < links.length; i += 2) this.#hang(links[i], links[i + 1]);
  }

  /** Rows in it. */
  get size(): number {
    return this.#graph.size + this.#hangingCount;
  }

  /**
   * @param row  not in it yet.
   * @param vector  unit length, starting at the beginning of its buffer.
   */
  add(row: number, vector: Float32Array): void {
    const node = this.#graph.twinOf(vector);
    if (node === undefined) this.#graph.add([row], vector);
    else this.#hang(row, node);
  }

  /**
   * The first `count` groups of rows that a search of width `efSearch` finds, roughly best first.
   */
  search(query: Float32Array, efSearch: number, count: number): number[][] {
    const nodes = this.#graph.search(query, efSearch, count);
    return nodes.map((node) => [node, ...(this.#hanging.get(node) ?? [])]);
  }

  /** Pairs of a row and its node. */
  get links(): Float64Array {
    const links = new Float64Array(2 * this.#hangingCount);
    let at = 0;
    for (const [node, rows] of this.#hanging) {
      for (const row of rows) {
        links[at++] = row;
        links[at++] = node;
      }
    }
    return links;
  }

  /** Writes the nodes to `file`, which does not exist yet. */
  saveNodes(file: string): void {
    this.#graph.save(file);
  }

  #hang(row: number, node: number) {
    const rows = this.#hanging.get(node);
    if (rows === undefined) this.#hanging.set(node, [row]);
    else rows.push(row);
    this.#hangingCount++;
  }
}
