import { type Usearch, usearch } from "../quantized/usearch.js";
import type { Graph, GraphEngine } from "./graph.js";

// Why usearch, and why int8: docs/decisions/0010-usearch.md.
const { Index, MetricKind, ScalarKind } = usearch;

type Index = InstanceType<Usearch["Index"]>;

const m = 16;
const efConstruction = 128;
/**
 * Wide enough to find a vector that exists: in trials even a width of 1 missed only one in a
 * thousand.
 */
const twinWidth = 8;
/**
 * Cosine distance up to which two vectors share a node: .001, or in 8 bits the rounding error
 * between two equal vectors. Each number is off by up to half a step of 1 / 127: by step^2 / 12 on
 * average, and half the square is the distance.
 */
const twinDistance = (dimensions: number) => 0.001 + dimensions / 12 / 127 ** 2;

/** int8 vectors in the graph; its answers are ranked again with float32 by search-plan.ts. */
export const usearchEngine: GraphEngine = {
  name: `usearch-i8-m${m}`,
  create: (dimensions) => new UsearchGraph(newIndex(dimensions)),
  load(file, dimensions) {
    const index = newIndex(dimensions);
    index.load(file);
    return new UsearchGraph(index);
  },
};

class UsearchGraph implements Graph {
  readonly #index: Index;

  constructor(index: Index) {
    this.#index = index;
  }

  get size(): number {
    return Number(this.#index.size());
  }

  add(rows: readonly number[], vectors: Float32Array): void {
    // One thread: the others are for the models.
    this.#index.add(BigUint64Array.from(rows, BigInt), vectors, 1);
  }

  twinOf(vector: Float32Array): number | undefined {
    if (this.size === 0) return undefined;
    const { keys, distances } = this.#index.search(vector, Math.min(twinWidth, this.size), 1);
    return distances[0] <= twinDistance(vector.length) ? Number(keys[0]) : undefined;
  }

  search(query: Float32Array, efSearch: number, count: number): number[] {
    if (this.size === 0) return [];
    // usearch searches with a width of max(expansion_search, k), so asking for efSearch neighbours
    // sets the width per query.
    const { keys } = this.#index.search(query, Math.min(efSearch, this.size), 1);
    return Array.from(keys.subarray(0, count), Number);
  }

  save(file: string): void {
    this.#index.save(file);
  }
}

function newIndex(dimensions: number): Index {
  return new Index({
    dimensions,
    metric: MetricKind.Cos,
    quantization: ScalarKind.I8,
    connectivity: m,
    expansion_add: efConstruction,
    expansion_search: 1,
    multi: false,
  });
}
