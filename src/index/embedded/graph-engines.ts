import type { GraphEngine } from "./graph.js";
import { hnswlibEngine } from "./hnswlib-graph.js";
import { usearchEngine } from "./usearch-graph.js";

/** The libraries that build graphs, by the name of the option `indexEngine`. */
export const graphEngines = {
  usearch: () => usearchEngine,
  hnswlib: hnswlibEngine,
} satisfies Record<string, () => GraphEngine>;

export type EngineName = keyof typeof graphEngines;
