import type { DataType } from "../encoders/manifest.js";
import { findGraph, graphNames, type TowerName } from "./onnx-layout.js";

/** Where a folder keeps its files; paths are relative to it. */
export interface Layout {
  /** The folders of the graphs. */
  folders: readonly string[];
  /** The path of a tower's graph in a data type among `paths`. */
  graph(paths: readonly string[], tower: TowerName, dtype: DataType): string | undefined;
  tokenizer: string;
  /** What a folder without any graph lacks, for messages. */
  expected: string;
}

/** As optimum and transformers.js write and read it. */
export const hubLayout: Layout = {
  folders: ["onnx"],
  graph: findGraph,
  tokenizer: "tokenizer.json",
  expected: Object.values(graphNames)
    .map((name) => `onnx/${name}.onnx`)
    .join(", "),
};

const immichGraphs: Partial<Record<TowerName, string>> = {
  text: "textual/model.onnx",
  image: "visual/model.onnx",
};

/** As Immich's machine-learning server keeps models, cache/clip/NAME. */
export const immichLayout: Layout = {
  folders: ["textual", "visual"],
  graph: (paths, tower, dtype) =>
    dtype === "fp32" ? paths.find((path) => path === immichGraphs[tower]) : undefined,
  tokenizer: "textual/tokenizer.json",
  expected: Object.values(immichGraphs).join(", "),
};
