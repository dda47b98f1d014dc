import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import { dot } from "../../math/vector.js";
import type { Services } from "../../services.js";
import { listOf, optional, withDefault } from "../../wire/field-types.js";
import { mediaMaker } from "../media-content.js";
import { embedForeign } from "./embed-foreign.js";
import { foreignBody } from "./foreign-body.js";
import { NoPrompt } from "./no-prompt.js";
import { contentOfText } from "./parts.js";
import { rank } from "./rank.js";
import type { ForeignContext } from "./shape.js";
import { checkNotCut } from "./truncation.js";
import { classifyForeign } from "./warnings-header.js";

const Text = z.string().min(1);
const TextList = listOf(z.string(), { max: 100_000 });
const truncation = {
  truncate: optional(z.boolean()),
  truncation_direction: optional(z.enum(["right", "Right"])),
};

export const EmbedBody = z.strictObject({
  inputs: z.union([z.string(), TextList]),
  ...truncation,
  prompt_name: NoPrompt,
  normalize: optional(z.literal(true)),
  dimensions: optional(z.int().positive()),
});
export const SimilarityBody = z.strictObject({
  inputs: z.strictObject({ source_sentence: Text, sentences: TextList }),
  parameters: optional(z.strictObject({ ...truncation, prompt_name: NoPrompt })),
});
export const RerankBody = z.strictObject({
  query: Text,
  texts: TextList,
  raw_scores: withDefault(z.boolean(), false),
  return_text: withDefault(z.boolean(), false),
  ...truncation,
});
export const Ranks = z.array(
  z.object({ index: z.int(), text: z.string().optional(), score: z.number() }),
);
export const PredictBody = z.strictObject({
  /** One text, `["text"]` too; or a batch, `[["a"], ["b"]]`. Pairs are not classified here. */
  inputs: z.union([
    Text,
    listOf(Text, { min: 1, max: 1 }),
    listOf(listOf(Text, { min: 1, max: 1 }), { min: 1, max: 100_000 }),
  ]),
  raw_scores: withDefault(z.literal(false), false),
  ...truncation,
  /** Ours: TEI's models have labels of their own. */
  candidate_labels: optional(listOf(z.string(), { min: 1, max: 100_000 })),
});

/** @returns [n][dimensions] of texts, and of pictures and sounds as data URIs. */
export async function embed(
  services: Services,
  { inputs, dimensions, truncate }: z.infer<typeof EmbedBody>,
  c: ForeignContext,
): Promise<number[][]> {
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const texts = typeof inputs === "string" ? [inputs] : inputs;
  const contents = texts.map((text, i) => contentOfText(text, mediaOf, `inputs[${i}]`));
  const request = { dimensions, param: "inputs" };
  const { pack, embeddings } = await embedForeign(services, request, contents, c);
  if (truncate === false) await checkNotCut(pack, contents, signal);
  return embeddings.map((embedding) => Array.from(embedding));
}

export async function similarity(services: Services, c: ForeignContext): Promise<Response> {
  const { inputs, parameters } = await foreignBody(c, SimilarityBody);
  const { source_sentence: source, sentences } = inputs;
  if (sentences.length === 0) throw invalidInput("inputs.sentences", '"inputs.sentences" is empty');
  const signal = c.get("signal");
  const contents = [source, ...sentences].map((text): Content => ({ modality: "text", text }));
  const request = { param: "inputs.sentences" };
  const { pack, embeddings } = await embedForeign(services, request, contents, c);
  if (parameters?.truncate === false) await checkNotCut(pack, contents, signal);
  return c.json(embeddings.slice(1).map((embedding) => dot(embeddings[0], embedding)));
}

export async function rerank(
  services: Services,
  body: z.infer<typeof RerankBody>,
  c: ForeignContext,
): Promise<z.infer<typeof Ranks>> {
  const { query, texts, raw_scores: isRaw, return_text: withText } = body;
  if (texts.length === 0) throw invalidInput("texts", '"texts" is empty');
  const request = { query, documents: texts, param: "texts" };
  const { results } = await rank(services, request, c);
  return results.map(({ index, cosine }) => ({
    index,
    ...(withText && { text: texts[index] }),
    score: isRaw ? cosine : (1 + cosine) / 2,
  }));
}

export async function predict(services: Services, c: ForeignContext): Promise<Response> {
  const { inputs, candidate_labels: labels } = await foreignBody(c, PredictBody);
  if (labels === undefined) {
    const message = 'Expected "candidate_labels": the models here have no labels of their own';
    throw invalidInput("candidate_labels", message);
  }
  const texts = typeof inputs === "string" ? [inputs] : inputs.flat();
  const contents = texts.map((text): Content => ({ modality: "text", text }));
  const { scored } = await classifyForeign(services, { labels }, contents, c);
  const isBatch = typeof inputs[0] === "object";
  return c.json(isBatch ? scored.map(({ scores }) => scores) : scored[0].scores);
}
