import type { DataType } from "../encoders/manifest.js";

/** Names of the hub's ONNX layout, as optimum and transformers.js write and read it. */

/**
 * Small files that describe the graphs. One of the processor's files is needed (see
 * hub-configs.ts).
 */
export const configFiles = ["config.json", "tokenizer_config.json", "tokenizer.json"] as const;
export const processorFiles = ["preprocessor_config.json", "processor_config.json"] as const;
/** Our own: `logit_scale_exp` and `logit_bias`. */
export const logitFile = "logit.json";

/** The graph of each tower. */
export const graphNames = {
  text: "text_model",
  image: "vision_model",
  audio: "audio_model",
} as const;
export type TowerName = keyof typeof graphNames;

/** File name suffixes for each data type, in order of preference. */
const endings: Record<DataType, readonly string[]> = {
  fp32: [""],
  fp16: ["_fp16"],
  int8: ["_quantized", "_int8", "_uint8"],
  q4: ["_q4", "_q4f16", "_bnb4"],
};

/** The path of a tower's graph in a data type among `paths`. */
export function findGraph(
  paths: readonly string[],
  tower: TowerName,
  dtype: DataType,
): string | undefined {
  return endings[dtype]
    .map((ending) => `onnx/${graphNames[tower]}${ending}.onnx`)
    .find((path) => paths.includes(path));
}
