import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Modality } from "../../encoders/encoder.js";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { listOf, optional, withDefault } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { Scores } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import { openaiErrors } from "./error-forms.js";
import { foreignBody, hasField } from "./foreign-body.js";
import { OpenaiList, openaiList } from "./openai-list.js";
import { checkUri } from "./parts.js";
import { rank } from "./rank.js";
import type { ForeignContext, Shape } from "./shape.js";
import { classifyForeign } from "./warnings-header.js";

const Model = optional(
  z.string().transform((name) => (name === "default/not-specified" ? undefined : name)),
);
const Inputs = z.union([z.string(), listOf(z.string(), { min: 1, max: 100_000 })]);

const EmbeddingsBody = z.strictObject({
  model: Model,
  input: Inputs,
  modality: withDefault(z.enum(["text", "image", "audio"]), "text"),
  encoding_format: withDefault(z.enum(["float", "base64"]), "float"),
  /** 0 is the model's own number. */
  dimensions: optional(z.int().min(0)),
  user: optional(z.string()),
});

const ClassifyBody = z.strictObject({
  model: Model,
  input: listOf(z.string(), { min: 1, max: 100_000 }),
  raw_scores: withDefault(z.literal(false), false),
  /** Ours: Infinity's models have labels of their own. */
  candidate_labels: optional(listOf(z.string(), { min: 1, max: 100_000 })),
});

const RerankBody = z.strictObject({
  model: Model,
  query: z.string(),
  documents: listOf(z.string(), { min: 1, max: 100_000 }),
  return_documents: withDefault(z.boolean(), false),
  raw_scores: withDefault(z.boolean(), false),
  top_n: optional(z.int().positive()),
});

const stamped = { id: z.string(), created: z.int() };
const EmbeddingsAnswer = OpenaiList.extend(stamped);
const usage = OpenaiList.shape.usage;
const ClassifyAnswer = z.object({
  object: z.literal("classify"),
  data: z.array(Scores),
  model: z.string(),
  usage,
  ...stamped,
});
const RerankAnswer = z.object({
  object: z.literal("rerank"),
  results: z.array(
    z.object({ relevance_score: z.number(), index: z.int(), document: z.string().optional() }),
  ),
  model: z.string(),
  usage,
  ...stamped,
});
const ModelsAnswer = z.object({
  object: z.literal("list"),
  data: z.array(
    z.object({
      id: z.string(),
      object: z.literal("model"),
      owned_by: z.literal("infinity"),
      created: z.int(),
      backend: z.string(),
      stats: z.object({
        queue_fraction: z.number(),
        queue_absolute: z.int(),
        results_pending: z.int(),
        batch_size: z.int(),
      }),
      capabilities: z.array(z.string()),
    }),
  ),
});
const HealthAnswer = z.object({ unix: z.number(), status: z.literal("UP") });

/** Source: michaelfeil/infinity at fcb951c, infinity_emb/fastapi_schemas/pymodels.py. */
export function infinityShape(services: Services): Shape {
  const { packs, budget, config } = services;
  const embeddings = { body: json(EmbeddingsBody), returns: json(EmbeddingsAnswer) };
  return {
    name: "infinity",
    ...openaiErrors,
    routes: [
      {
        method: "POST",
        path: "/embeddings",
        matches: (c) => hasField(c, "input"),
        ...embeddings,
        answer: async (c) => embed(services, c, (await foreignBody(c, EmbeddingsBody)).modality),
      },
      {
        method: "POST",
        path: "/embeddings_image",
        ...embeddings,
        answer: (c) => embed(services, c, "image"),
      },
      {
        method: "POST",
        path: "/embeddings_audio",
        ...embeddings,
        answer: (c) => embed(services, c, "audio"),
      },
      {
        method: "POST",
        path: "/classify",
        body: json(ClassifyBody),
        returns: json(ClassifyAnswer),
        answer: async (c) => {
          const body = await foreignBody(c, ClassifyBody);
          if (body.candidate_labels === undefined) {
            const message =
              'Expected "candidate_labels": the models here have no labels of their own';
            throw invalidInput("candidate_labels", message);
          }
          const contents = body.input.map((text): Content => ({ modality: "text", text }));
          const query = { model: body.model, labels: body.candidate_labels };
          const { pack, scored } = await classifyForeign(services, query, contents, c);
          return c.json({
            object: "classify",
            data: scored.map(({ scores }) => scores),
            model: pack.manifest.id,
            usage: { prompt_tokens: 0, total_tokens: 0 },
            ...stamp(),
          });
        },
      },
      {
        method: "POST",
        path: "/rerank",
        matches: (c) => hasField(c, "documents"),
        body: json(RerankBody),
        returns: json(RerankAnswer),
        answer: async (c) => {
          const body = await foreignBody(c, RerankBody);
          const { query, documents, model } = body;
          const ranked = await rank(services, { query, documents, model }, c);
          return c.json({
            object: "rerank",
            results: ranked.results.slice(0, body.top_n).map(({ index, cosine }) => ({
              relevance_score: body.raw_scores ? cosine : (1 + cosine) / 2,
              index,
              ...(body.return_documents && { document: documents[index] }),
            })),
            model: ranked.model,
            usage: { prompt_tokens: ranked.tokens, total_tokens: ranked.tokens },
            ...stamp(),
          });
        },
      },
      {
        method: "GET",
        path: "/models",
        returns: json(ModelsAnswer),
        answer: (c) =>
          c.json({
            object: "list",
            data: packs.list().map(({ manifest, loadedAt, towers }) => ({
              id: manifest.id,
              object: "model",
              owned_by: "infinity",
              created: Math.floor(loadedAt / 1000),
              backend: "onnx",
              stats: {
                queue_fraction: Math.min(1, budget.units / config.maxQueued),
                queue_absolute: Math.ceil(budget.units),
                results_pending: Math.ceil(budget.units),
                batch_size: config.maxBatch,
              },
              capabilities: [
                ...towers.map(({ modality }) => capabilityOf[modality]),
                ...(towers.some(({ modality }) => modality === "text") ? ["rerank"] : []),
              ],
            })),
          }),
      },
      {
        method: "GET",
        path: "/health",
        returns: json(HealthAnswer),
        // Label Studio's is the same path: one body is both.
        answer: (c) => c.json({ unix: Date.now() / 1000, status: "UP" }),
      },
    ],
  };
}

const stamp = () => ({
  id: `infinity-${randomUUID()}`,
  created: Math.floor(Date.now() / 1000),
});

async function embed(services: Services, c: ForeignContext, modality: Modality): Promise<Response> {
  const body = await foreignBody(c, EmbeddingsBody);
  const texts = typeof body.input === "string" ? [body.input] : body.input;
  const mediaOf = mediaMaker(services, c.get("signal"));
  const contents = texts.map((text, i): Content => {
    if (modality === "text") return { modality, text };
    const param = `input[${i}]`;
    return mediaOf(checkUri(text, param), modality, param);
  });
  const inputs = { model: body.model, dimensions: body.dimensions || undefined, param: "input" };
  const { pack, embeddings, tokens } = await embedForeign(services, inputs, contents, c);
  return c.json({
    ...openaiList(pack.manifest.id, embeddings, body.encoding_format),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
    ...stamp(),
  });
}

const capabilityOf = { text: "embed", image: "image_embed", audio: "audio_embed" } as const;
