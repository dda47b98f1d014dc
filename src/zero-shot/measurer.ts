import type { Embedding } from "../encoders/encoder.js";
import { rowAt } from "../math/rows.js";
import { logSumExp, sigmoid, softmax } from "../math/softmax.js";
import { dot } from "../math/vector.js";
import { classEmbeddings, type Prompting } from "./class-embeddings.js";
import type { ClassifyOptions, Examples, LabelPack } from "./classify-options.js";
import { logitsOf, type Odds, oddsOf } from "./reference.js";

/** The text of `multiLabel`'s empty label: anything at all. */
const neutralLabel = "something";

/** Measures embeddings against labels with a pack. */
export interface Measurer {
  measure(embedding: Embedding): Odds;
  scoresOf(odds: Odds, embedding: Embedding): ArrayLike<number>;
}

/** Embeds the labels once; `labelScorer` says what the scores are. */
export async function measurer(
  pack: LabelPack,
  labels: readonly string[],
  { templates, prompts, multiLabel = false, reference, signal }: ClassifyOptions,
): Promise<Measurer> {
  const { examples, textEncoder, logitScale, logitBias, activation } = pack;
  if (examples !== undefined)
    return examplesMeasurer(pack, examples, labels, { templates, prompts, reference, signal });
  const logistic = multiLabel ? reference?.logistic : undefined;
  const contrast = multiLabel && activation === "softmax" && logistic === undefined;
  const vectors = await classEmbeddings(
    textEncoder,
    contrast ? [...labels, neutralLabel] : labels,
    { templates, prompts },
    signal,
  );
  const something = contrast ? vectors.pop() : undefined;
  return {
    measure: (embedding) => {
      const logits = Float64Array.from(vectors, (vector) => logitScale * dot(vector, embedding));
      return oddsOf(logits, reference ? logitsOf(reference.neutral, embedding, logitScale) : []);
    },
    scoresOf: ({ logits, neutral }, embedding) => {
      if (logistic !== undefined)
        return logits.map((logit) => sigmoid(logistic.slope * (logit - neutral) + logistic.offset));
      if (something !== undefined) {
        const middle = logitScale * dot(something, embedding);
        return logits.map((logit) => sigmoid(logit - middle));
      }
      if (activation === "sigmoid") return logits.map((logit) => sigmoid(logit + logitBias));
      return softmax(logits);
    },
  };
}

/**
 * With examples that use texts, the neutral ones are added to the labels. If only the examples
 * count, familiarity is the best label's odds against the others.
 */
async function examplesMeasurer(
  { textEncoder }: LabelPack,
  examples: Examples,
  labels: readonly string[],
  { reference, signal, ...prompting }: Prompting & Pick<ClassifyOptions, "reference" | "signal">,
): Promise<Measurer> {
  const scoresOf = ({ logits }: Odds) => softmax(logits);
  if (!examples.usesTexts) {
    const logitsOf = examples.logitsOf(labels, []);
    return {
      measure: (embedding) => {
        const logits = logitsOf(embedding);
        const best = logits.indexOf(Math.max(...logits));
        const others = logSumExp(logits.filter((_, i) => i !== best));
        return { logits, all: logits[best] - others, neutral: others };
      },
      scoresOf,
    };
  }
  const texts = await classEmbeddings(textEncoder, labels, prompting, signal);
  if (reference === undefined) {
    const logitsOf = examples.logitsOf(labels, texts);
    return { measure: (embedding) => oddsOf(logitsOf(embedding), []), scoresOf };
  }
  // A neutral text that is also a label would appear twice
  const others = reference.neutralTexts.flatMap((text, i) => (labels.includes(text) ? [] : [i]));
  const logitsOf = examples.logitsOf(
    [...labels, ...others.map((i) => reference.neutralTexts[i])],
    [...texts, ...others.map((i) => rowAt(reference.neutral, i))],
  );
  return {
    measure: (embedding) => {
      const logits = logitsOf(embedding);
      return oddsOf(logits.slice(0, labels.length), logits.slice(labels.length));
    },
    scoresOf,
  };
}
