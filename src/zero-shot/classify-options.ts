import type { Embedding, Encoder } from "../encoders/encoder.js";
import type { Prompting } from "./class-embeddings.js";
import type { Reference } from "./reference.js";

/** What scores embeddings against labels. */
export interface LabelPack {
  textEncoder: Encoder<"text">;
  /** The multiplier of the cosine, about 100 in CLIP. */
  logitScale: number;
  logitBias: number;
  activation: "softmax" | "sigmoid";
  /** Labelled examples that vote; their scores are a softmax over the labels. */
  examples?: Examples;
}

/** Combines examples with the labels' texts (see heads/examples.ts). */
export interface Examples {
  /** Whether the embeddings of the labels' prompts are used too. */
  usesTexts: boolean;
  /**
   * @param texts  the unit embeddings of the labels' prompts, in order; empty unless `usesTexts`.
   * @returns the function from a unit embedding to one logit for each label.
   */
  logitsOf(
    labels: readonly string[],
    texts: readonly Embedding[],
  ): (embedding: Embedding) => Float64Array;
}

export interface ClassifyOptions extends Prompting {
  /** Score each label independently instead of against the others. */
  multiLabel?: boolean;
  /** Only the best ones. */
  topK?: number;
  /** Only scores of at least this. */
  threshold?: number;
  /** By label: in place of `threshold`. */
  thresholds?: ReadonlyMap<string, number>;
  /** The reference of the labels; with it `multiLabel` uses its calibration. */
  reference?: Reference;
  /** Share of inputs without a fitting label that may pass; needs `reference`. */
  falseAlarmRate?: number;
  signal?: AbortSignal;
}
