import { z } from "zod";
import { AppError, invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import { dot } from "../../math/vector.js";
import type { Services } from "../../services.js";
import { listOf, optional, withDefault } from "../../wire/fields.js";
import { mediaMaker } from "../media-content.js";
import { embedForeign } from "./embed-foreign.js";
import { foreignBody, hasField } from "./foreign-body.js";
import { rank } from "./infinity.js";
import { contentOfText } from "./parts.js";
import type { ErrorForm, ForeignContext, Shape } from "./shape.js";
import { decode, tokenize } from "./tei-tokens.js";
import { checkNotCut } from "./truncation.js";
import { classifyForeign } from "./warnings-header.js";

const Texts = z.union([z.string(), listOf(z.string(), { min: 1, max: 100_000 })]);
const truncation = {
  truncate: optional(z.boolean()),
  truncation_direction: optional(z.enum(["right", "Right"])),
};

const EmbedBody = z.strictObject({
  inputs: Texts,
  ...truncation,
  normalize: optional(z.literal(true)),
  dimensions: optional(z.int().positive()),
});
const SimilarityBody = z.strictObject({
  inputs: z.strictObject({
    source_sentence: z.string().min(1),
    sentences: listOf(z.string().min(1), { min: 1, max: 100_000 }),
  }),
  parameters: optional(z.strictObject(truncation)),
});
const RerankBody = z.strictObject({
  query: z.string().min(1),
  texts: listOf(z.string().min(1), { min: 1, max: 100_000 }),
  raw_scores: withDefault(z.boolean(), false),
  return_text: withDefault(z.boolean(), false),
  ...truncation,
});
const PredictBody = z.strictObject({
  inputs: Texts,
  raw_scores: withDefault(z.literal(false), false),
  ...truncation,
  /** Ours: TEI's models have labels of their own. */
  candidate_labels: optional(listOf(z.string(), { min: 1, max: 100_000 })),
});

/** Source: huggingface/text-embeddings-inference at 0d124dc, router/src/http/{types,server}.rs. */
const errors: ErrorForm = ({ status, body: { code, message } }) => {
  const kinds: Record<number, [string, number]> = {
    400: ["Validation", 422],
    409: ["Backend", 424],
    413: ["Validation", 413],
    422: ["Validation", 422],
    429: ["Overloaded", 429],
    503: ["Unhealthy", 503],
  };
  const [type, shown] =
    kinds[status] ?? (status >= 500 ? ["Backend", 424] : ["Validation", status]);
  return { body: { error: message, error_type: type, code }, status: shown };
};

export const teiShape = (services: Services): Shape => ({
  name: "tei",
  errors,
  routes: [
    { method: "POST", path: "/embed", answer: (c) => embed(services, c) },
    { method: "POST", path: "/similarity", answer: (c) => similarity(services, c) },
    {
      method: "POST",
      path: "/rerank",
      matches: (c) => hasField(c, "texts"),
      answer: (c) => rerank(services, c),
    },
    {
      method: "POST",
      path: "/predict",
      matches: (c) => hasField(c, "inputs"),
      answer: (c) => predict(services, c),
    },
    { method: "POST", path: "/tokenize", answer: (c) => tokenize(services, c) },
    { method: "POST", path: "/decode", answer: (c) => decode(services, c) },
    { method: "POST", path: "/embed_all", answer: () => refuse("vectors of tokens") },
    { method: "POST", path: "/embed_sparse", answer: () => refuse("sparse vectors") },
    {
      method: "GET",
      path: "/health",
      onlyUnderPrefix: true,
      answer: (c) => c.body(null, services.troubles().length === 0 ? 200 : 503),
    },
    { method: "GET", path: "/info", answer: (c) => c.json(info(services)) },
  ],
});

/** What a tower's graph does not give. TEI answers 424 for a model that cannot. */
function refuse(what: string): never {
  const message = `The models here give one vector for each input, and no ${what}`;
  throw new AppError("no_path", message);
}

const asList = (texts: string | readonly string[]) => (typeof texts === "string" ? [texts] : texts);
const asTexts = (texts: readonly string[]): Content[] =>
  texts.map((text) => ({ modality: "text", text }));

async function embed(services: Services, c: ForeignContext): Promise<Response> {
  const { inputs, dimensions, truncate } = await foreignBody(c, EmbedBody);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const texts = asList(inputs);
  const contents = texts.map((text, i) => contentOfText(text, mediaOf, `inputs[${i}]`));
  const request = { dimensions, param: "inputs" };
  const { pack, embeddings } = await embedForeign(services, request, contents, c);
  if (truncate === false) await checkNotCut(pack, contents, signal);
  return c.json(embeddings.map((embedding) => Array.from(embedding)));
}

async function similarity(services: Services, c: ForeignContext): Promise<Response> {
  const { inputs } = await foreignBody(c, SimilarityBody);
  const contents = asTexts([inputs.source_sentence, ...inputs.sentences]);
  const request = { param: "inputs.sentences" };
  const { embeddings } = await embedForeign(services, request, contents, c);
  const [source, ...sentences] = embeddings;
  return c.json(sentences.map((embedding) => dot(source, embedding)));
}

async function rerank(services: Services, c: ForeignContext): Promise<Response> {
  const { query, texts, raw_scores: raw, return_text: withText } = await foreignBody(c, RerankBody);
  const { results } = await rank(services, { query, documents: texts, param: "texts" }, c);
  return c.json(
    results.map(({ index, cosine }) => ({
      index,
      ...(withText && { text: texts[index] }),
      score: raw ? cosine : (1 + cosine) / 2,
    })),
  );
}

async function predict(services: Services, c: ForeignContext): Promise<Response> {
  const { inputs, candidate_labels: labels } = await foreignBody(c, PredictBody);
  if (labels === undefined) {
    const message = 'Expected "candidate_labels": the models here have no labels of their own';
    throw invalidInput("candidate_labels", message);
  }
  const contents = asTexts(asList(inputs));
  const { scored } = await classifyForeign(services, { labels }, contents, c);
  const answers = scored.map(({ scores }) => scores);
  return c.json(typeof inputs === "string" ? answers[0] : answers);
}

function info({ packs, config }: Services) {
  const { manifest, towers } = packs.find(undefined, "text");
  const text = towers.find(({ modality }) => modality === "text");
  return {
    model_id: manifest.id,
    model_sha: manifest.revision,
    model_dtype: text?.dtype ?? "",
    served_model_name: manifest.id,
    model_type: { embedding: { pooling: "cls" } },
    max_concurrent_requests: config.maxQueued,
    max_input_length: manifest.towers.text?.preprocess.contextLength ?? 0,
    max_batch_tokens: config.maxBatch * (manifest.towers.text?.preprocess.contextLength ?? 0),
    max_batch_requests: config.maxBatch,
    max_client_batch_size: config.maxInputs,
    auto_truncate: true,
    tokenization_workers: 1,
    version: "1.9.0",
    sha: null,
    docker_label: null,
  };
}
