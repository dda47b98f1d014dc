import type { EncodeWindows } from "../encoders/audio-encoder.js";
import type { Embedding, Encoder, Modality, ModalityInput } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { Recent } from "../recent.js";
import type { Prompting } from "./class-embeddings.js";
import type { ClassifyOptions, LabelPack } from "./classify-options.js";
import { type Measurer, measurer } from "./measurer.js";
import { backgroundOdds, type Reference, type Verdict } from "./reference.js";

/** The two towers of a pack that meet in one space, and how its cosines become scores. */
export interface ZeroShotPack<M extends Modality> extends LabelPack {
  encoder: Encoder<M>;
}

export interface LabelScore {
  label: string;
  /** In [0, 1]. */
  score: number;
  /** For `multiLabel` with a `falseAlarmRate`: whether this label alone fits at that rate. */
  known?: boolean;
}

/** Scores of one input, best first, and on request whether any label fits at all. */
export interface Classified {
  scores: LabelScore[];
  verdict?: Verdict & {
    /** The best label, also where `topK` or `threshold` leaves no score; null when unknown. */
    label: string | null;
    /** Background inputs that this is based on. */
    background: number;
  };
}

/** Scores of one input, best first. */
export async function classify<M extends Modality>(
  pack: ZeroShotPack<M>,
  input: ModalityInput[M],
  labels: readonly string[],
  options: ClassifyOptions,
): Promise<LabelScore[]> {
  const embed = async () => (await pack.encoder.encode([input], options.signal))[0];
  return (await classifyEmbedded(pack, embed, labels, options)).scores;
}

/** Scores of the result of `embed`, which runs while the labels are embedded. */
async function classifyEmbedded(
  pack: LabelPack,
  embed: () => Promise<Embedding>,
  labels: readonly string[],
  options: ClassifyOptions,
): Promise<Classified> {
  const [embedding, score] = await Promise.all([embed(), labelScorer(pack, labels, options)]);
  return score(embedding);
}

/** Scores of a sound as a whole and of each of the windows it was cut into. */
export async function classifyWindows(
  pack: LabelPack,
  embed: () => ReturnType<EncodeWindows>,
  labels: readonly string[],
  options: ClassifyOptions,
): Promise<
  Classified & { timeline: (Classified & { startSeconds: number; endSeconds: number })[] }
> {
  const [{ embedding, windows }, score] = await Promise.all([
    embed(),
    labelScorer(pack, labels, options),
  ]);
  const timeline = windows.map((window) => ({
    startSeconds: window.startSeconds,
    endSeconds: window.endSeconds,
    ...score(window.embedding),
  }));
  return { ...score(embedding), timeline };
}

/**
 * Embeds the labels once and returns the function that scores an embedding against them.
 *
 *   softmax:  score = softmax_j(logitScale * cos_j)
 *   sigmoid:  score = sigmoid(logitScale * cos_j + logitBias)
 *   softmax pack, multiLabel:  score = sigmoid(logitScale * (cos_j - cos_neutral)): the label
 *     against "something", which is the two-way softmax of the pair. A softmax pack has no bias
 *     that would make sigmoid(logitScale * cos) a probability: CLIP's logits of 20 to 30 would all
 *     saturate at 1 (docs/decisions/0005-multi-label-scores.md).
 *   multiLabel with a calibration:  its logistic function of the label's odds (see reference.ts).
 */
export async function labelScorer(
  pack: LabelPack,
  labels: readonly string[],
  options: ClassifyOptions,
): Promise<(embedding: Embedding) => Classified> {
  const { multiLabel = false, topK, threshold, reference, falseAlarmRate } = options;
  const { measure, scoresOf } = await measurer(pack, labels, options);
  const background =
    reference !== undefined && falseAlarmRate !== undefined
      ? await rememberedOdds(pack, reference, labels, { ...options, measure })
      : undefined;
  const thresholds = multiLabel ? background?.thresholds(falseAlarmRate!) : undefined;
  return (embedding) => {
    const odds = measure(embedding);
    const scores = scoresOf(odds, embedding);
    // JSON would have null: an overflow of a head or a model must not look like an answer.
    if (!Array.from(scores).every(Number.isFinite))
      throw new AppError("inference_failed", "The scores are not finite numbers");
    const sorted = labels
      .map((label, i): LabelScore => {
        const known = thresholds && odds.logits[i] - odds.neutral > thresholds[i];
        return { label, score: scores[i], ...(known !== undefined && { known }) };
      })
      .sort((a, b) => b.score - a.score);
    const verdict = background?.verdict(odds, falseAlarmRate!);
    return {
      scores: sorted
        .filter(({ label, score }) => {
          const least = options.thresholds?.get(label) ?? threshold;
          return least === undefined || score >= least;
        })
        .slice(0, topK),
      ...(verdict && {
        verdict: {
          ...verdict,
          label: verdict.known ? sorted[0].label : null,
          background: background!.count,
        },
      }),
    };
  };
}

/** Cached label sets for each background. */
const maxRemembered = 8;
const remembered = new WeakMap<object, Recent<Awaited<ReturnType<typeof backgroundOdds>>>>();

/**
 * Comparing the background with hundreds of labels takes far longer than scoring one input, and the
 * same labels are used again and again. Examples have no key: those are compared each time.
 */
function rememberedOdds(
  { logitScale, examples }: LabelPack,
  reference: Reference,
  labels: readonly string[],
  { templates, prompts, measure }: Prompting & { measure: Measurer["measure"] },
): ReturnType<typeof backgroundOdds> {
  const compare = () => backgroundOdds(reference, labels, measure);
  if (examples !== undefined) return compare();
  const key = JSON.stringify([logitScale, templates, labels, [...(prompts ?? [])]]);
  const odds = remembered.get(reference.background) ?? new Recent(maxRemembered);
  remembered.set(reference.background, odds);
  return odds.get(key, compare);
}
