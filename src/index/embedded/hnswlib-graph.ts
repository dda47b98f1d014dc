import { createRequire } from "node:module";
import { AppError } from "../../errors.js";
import type { Graph, GraphEngine } from "./graph.js";

// The only file that imports hnswlib-node: an optional peer, compiled at install, chosen with the
// option `indexEngine`.

type Hnswlib = typeof import("hnswlib-node");

const m = 16;
const efConstruction = 200;
const twinWidth = 8;
/** Cosine distance up to which two vectors share a node. */
const twinDistance = 0.001;

const requireHnswlib = () => createRequire(import.meta.url)("hnswlib-node") as Hnswlib;

/**
 * float32 HNSW by hnswlib-node.
 * @throws AppError invalid_input when the package cannot be loaded.
 */
export function hnswlibEngine(load: () => Hnswlib = requireHnswlib): GraphEngine {
  const { HierarchicalNSW } = loadedPackage(load);
  const empty = (dimensions: number) => new HierarchicalNSW("ip", dimensions);
  return {
    name: `hnswlib-f32-m${m}`,
    create(dimensions) {
      const index = empty(dimensions);
      index.initIndex({ maxElements: 1024, m, efConstruction, randomSeed: 100 });
      return new HnswlibGraph(index, dimensions);
    },
    load(file, dimensions) {
      const index = empty(dimensions);
      index.readIndexSync(file);
      return new HnswlibGraph(index, dimensions);
    },
  };
}

class HnswlibGraph implements Graph {
  readonly #index: InstanceType<Hnswlib["HierarchicalNSW"]>;
  readonly #dimensions: number;

  constructor(index: InstanceType<Hnswlib["HierarchicalNSW"]>, dimensions: number) {
    this.#index = index;
    this.#dimensions = dimensions;
  }

  get size(): number {
    return this.#index.getCurrentCount();
  }

  add(rows: readonly number[], vectors: Float32Array): void {
    while (this.size + rows.length > this.#index.getMaxElements()) {
      this.#index.resizeIndex(this.#index.getMaxElements() * 2);
    }
    rows.forEach((row, i) => {
      if (row > 0xffffffff)
        throw new RangeError(`hnswlib-node holds row numbers below 2^32, not ${row}`);
      const vector = vectors.subarray(i * this.#dimensions, (i + 1) * this.#dimensions);
      this.#index.addPoint(Array.from(vector), row);
    });
  }

  twinOf(vector: Float32Array): number | undefined {
    if (this.size === 0) return undefined;
    this.#index.setEf(twinWidth);
    const { neighbors, distances } = this.#index.searchKnn(Array.from(vector), 1);
    return distances[0] <= twinDistance ? neighbors[0] : undefined;
  }

  search(query: Float32Array, efSearch: number, count: number): number[] {
    if (this.size === 0) return [];
    this.#index.setEf(efSearch);
    return this.#index.searchKnn(Array.from(query), Math.min(count, efSearch, this.size)).neighbors;
  }

  save(file: string): void {
    this.#index.writeIndexSync(file);
  }
}

function loadedPackage(load: () => Hnswlib): Hnswlib {
  try {
    return load();
  } catch (cause) {
    const message =
      'The option indexEngine is "hnswlib", but the package hnswlib-node cannot be loaded: ' +
      "install " +
      "it (npm i hnswlib-node, which compiles it), or leave the option at usearch";
    throw new AppError("invalid_input", message, { param: "indexEngine", cause });
  }
}
