import type { EncodeWindows } from "../encoders/audio-encoder.js";
import type { Embedding, Encoder, Modality, ModalityInput } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { sigmoid, softmax } from "../math/softmax.js";
import { dot } from "../math/vector.js";
import { classEmbeddings } from "./class-embeddings.js";

/** The two towers of a pack that meet in one space, and how its cosines become scores. */
export interface ZeroShotPack<M extends Modality> extends LabelPack {
  encoder: Encoder<M>;
}

/** What scores embeddings against labels. */
export interface LabelPack {
  textEncoder: Encoder<"text">;
  /** The multiplier of the cosine, about 100 in CLIP. */
  logitScale: number;
  logitBias: number;
  activation: "softmax" | "sigmoid";
  /** Labelled examples that take part; their scores are a softmax over the labels. */
  examples?: Examples;
}

/** What examples make of the labels' texts (see heads/examples.ts). */
export interface Examples {
  /** Whether the embeddings of the labels' prompts take part too. */
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

export interface ClassifyOptions {
  templates: readonly string[];
  /** Score each label by itself instead of against the others. */
  multiLabel?: boolean;
  /** Only the best so many. */
  topK?: number;
  /** Only scores of at least this. */
  threshold?: number;
  signal?: AbortSignal;
}

export interface LabelScore {
  label: string;
  /** In [0, 1]. */
  score: number;
}

/** What the empty label of `multiLabel` is called: anything at all. */
const neutralLabel = "something";

/** Scores of one input, best first. */
export function classify<M extends Modality>(
  pack: ZeroShotPack<M>,
  input: ModalityInput[M],
  labels: readonly string[],
  options: ClassifyOptions,
): Promise<LabelScore[]> {
  const embed = async () => (await pack.encoder.encode([input], options.signal))[0];
  return classifyEmbedded(pack, embed, labels, options);
}

/** Scores of what `embed` makes while the labels are embedded. */
export async function classifyEmbedded(
  pack: LabelPack,
  embed: () => Promise<Embedding>,
  labels: readonly string[],
  options: ClassifyOptions,
): Promise<LabelScore[]> {
  const [embedding, score] = await Promise.all([embed(), labelScorer(pack, labels, options)]);
  return score(embedding);
}

/** Scores of a sound as a whole and of each of the windows it was cut into. */
export async function classifyWindows(
  pack: LabelPack,
  embed: () => ReturnType<EncodeWindows>,
  labels: readonly string[],
  options: ClassifyOptions,
): Promise<{
  scores: LabelScore[];
  timeline: { startSeconds: number; endSeconds: number; scores: LabelScore[] }[];
}> {
  const [{ embedding, windows }, score] = await Promise.all([
    embed(),
    labelScorer(pack, labels, options),
  ]);
  const timeline = windows.map((window) => ({
    startSeconds: window.startSeconds,
    endSeconds: window.endSeconds,
    scores: score(window.embedding),
  }));
  return { scores: score(embedding), timeline };
}

/**
 * Embeds the labels once and returns the function that scores an embedding against them.
 *
 *   softmax:  score = softmax_j(logitScale * cos_j)
 *   sigmoid:  score = sigmoid(logitScale * cos_j + logitBias)
 *   softmax pack, multiLabel:  score = sigmoid(logitScale * (cos_j - cos_neutral)): the label against "something", which
 *     is the two-way softmax of the pair. A softmax pack has no bias that would make sigmoid(logitScale * cos) a
 *     probability: CLIP's logits of 20 to 30 would all saturate at 1 (docs/decisions/0005-multi-label-scores.md).
 */
async function labelScorer(
  pack: LabelPack,
  labels: readonly string[],
  { templates, multiLabel = false, topK, threshold, signal }: ClassifyOptions,
): Promise<(embedding: Embedding) => LabelScore[]> {
  const { examples } = pack;
  const best = (scores: ArrayLike<number>) => {
    // JSON would say null: a head or a model whose numbers overflow must not pass for an answer.
    if (!Array.from(scores).every(Number.isFinite))
      throw new AppError("inference_failed", "The scores are not finite numbers");
    return labels
      .map((label, i) => ({ label, score: scores[i] }))
      .sort((a, b) => b.score - a.score)
      .filter(({ score }) => threshold === undefined || score >= threshold)
      .slice(0, topK);
  };
  if (examples !== undefined) {
    const texts = examples.usesTexts
      ? await classEmbeddings(pack.textEncoder, labels, templates, signal)
      : [];
    const logitsOf = examples.logitsOf(labels, texts);
    return (embedding) => best(softmax(logitsOf(embedding)));
  }
  const contrast = multiLabel && pack.activation === "softmax";
  const vectors = await classEmbeddings(
    pack.textEncoder,
    contrast ? [...labels, neutralLabel] : labels,
    templates,
    signal,
  );
  return (embedding) => {
    const logits = Float64Array.from(vectors, (vector) => pack.logitScale * dot(vector, embedding));
    let scores: ArrayLike<number>;
    if (contrast)
      scores = logits
        .subarray(0, labels.length)
        .map((logit) => sigmoid(logit - logits[labels.length]));
    else if (pack.activation === "sigmoid")
      scores = logits.map((logit) => sigmoid(logit + pack.logitBias));
    else scores = softmax(logits);
    return best(scores);
  };
}
