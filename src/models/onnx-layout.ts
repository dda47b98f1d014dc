import type { DataType } from "../encoders/manifest.js";

/** Names of the hub's ONNX layout, as optimum and transformers.js write and read it. */

/** Says what the graphs are; small. `logit.json` is our own: `logit_scale_exp` and `logit_bias`. */
export const configFiles = [
  "config.json",
  "preprocessor_config.json",
  "tokenizer_config.json",
  "tokenizer.json",
] as const;
export const logitFile = "logit.json";

/** The graph of each tower. */
export const graphNames = {
  text: "text_model",
  image: "vision_model",
  audio: "audio_model",
} as const;
export type TowerName = keyof typeof graphNames;

/** What is put behind that name for each data type, in order of preference. */
const endings: Record<DataType, readonly string[]> = {
  fp32: [""],
  fp16: ["_fp16"],
  int8: ["_quantized", "_int8", "_uint8"],
  q4: ["_q4", "_q4f16", "_bnb4"],
};

/**
 * The graph of a tower in a data type among `paths`, and the files beside it that hold its weights when they outgrow one
 * file (`text_model.onnx_data`, `…_data_1`; newer exporters: `text_model.onnx.data`).
 */
export function findGraph(
  paths: readonly string[],
  tower: TowerName,
  dtype: DataType,
): { graph: string; data: string[] } | undefined {
  const graph = endings[dtype]
    .map((ending) => `onnx/${graphNames[tower]}${ending}.onnx`)
    .find((path) => paths.includes(path));
  if (graph === undefined) return undefined;
  const data = paths.filter(
    (path) => path.startsWith(graph) && /^(_data(_\d+)?|\.data)$/.test(path.slice(graph.length)),
  );
  return { graph, data: data.sort() };
}
