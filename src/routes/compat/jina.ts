import { randomUUID } from "node:crypto";
import { z } from "zod";
import { dot } from "../../math/vector.js";
import type { Services } from "../../services.js";
import { listOf, optional, withDefault } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { jsonBody } from "../read-json.js";
import { AnyVector, Vector } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import { foreignBody, hasField } from "./foreign-body.js";
import { ClassifyAnswer, ClassifyBody, classify } from "./jina-classify.js";
import { contentOf, Input, Inputs } from "./jina-input.js";
import {
  Classifier,
  Deleted,
  deleteClassifier,
  getClassifier,
  listClassifiers,
  TrainAnswer,
  TrainExamples,
  train,
} from "./jina-train.js";
import { OpenaiEntry, OpenaiList } from "./openai-list.js";
import { asOutputType, type OutputType } from "./output-types.js";
import type { ErrorForm, ForeignContext, Shape } from "./shape.js";
import { checkNotCut } from "./truncation.js";

const Type = z.enum(["float", "base64", "binary", "ubinary"]);

export const JinaBody = z.strictObject({
  model: optional(z.string()),
  input: Inputs,
  embedding_type: optional(z.union([Type, listOf(Type, { min: 1, max: 4 })])),
  /** What @llamaindex/jinaai sends for it. */
  encoding_type: optional(Type),
  encoding_format: optional(Type),
  dimensions: optional(z.int().positive()),
  /** Queries and passages are embedded in the same way. */
  task: optional(z.string()),
  normalized: optional(z.literal(true)),
  truncate: optional(z.boolean()),
  late_chunking: optional(z.literal(false)),
  return_multivector: optional(z.literal(false)),
  user: optional(z.string()),
});

const RerankBody = z.strictObject({
  model: optional(z.string()),
  query: Input,
  documents: listOf(Input, { min: 1, max: 100_000 }),
  top_n: optional(z.int().positive()),
  return_documents: withDefault(z.boolean(), true),
  return_embeddings: withDefault(z.boolean(), false),
});

export const JinaAnswer = OpenaiList.extend({
  data: z.array(
    OpenaiEntry.extend({ embedding: z.union([AnyVector, z.partialRecord(Type, AnyVector)]) }),
  ),
});

const RerankAnswer = z.object({
  object: z.literal("list"),
  model: z.string(),
  results: z.array(
    z.object({
      index: z.int(),
      relevance_score: z.number(),
      document: z
        .union([z.object({ text: z.string() }), z.record(z.string(), z.string())])
        .optional(),
      embedding: Vector.optional(),
    }),
  ),
  usage: z.object({ total_tokens: z.int() }),
});

export const JinaError = z.object({
  code: z.string(),
  detail: z.string(),
  request_id: z.string(),
});

/**
 * Source: tryAGI/Jina at 2a3f424, src/libs/Jina/openapi.json; a request carries an id there too.
 */
const errors: ErrorForm = ({ body: { code, message } }) => ({
  body: { code, detail: message, request_id: randomUUID() },
});

const ownFields = ["embedding_type", "encoding_type", "task", "normalized", "late_chunking"];

/**
 * Jina's embeddings, classification and ranking. What OpenAI's form says too is answered by our own
 * route: the answers are alike.
 */
export const jinaShape = (services: Services): Shape => ({
  name: "jina",
  errors,
  ErrorAnswer: JinaError,
  routes: [
    {
      method: "POST",
      path: "/v1/embeddings",
      matches: async (c) =>
        c.req.path.startsWith("/compat/") || (await hasField(c, ...ownFields)) || hasObjects(c),
      body: json(JinaBody),
      returns: json(JinaAnswer),
      answer: (c) => embeddings(services, c),
    },
    {
      method: "POST",
      path: "/v1/classify",
      body: json(ClassifyBody),
      returns: json(ClassifyAnswer),
      answer: (c) => classify(services, c),
    },
    {
      method: "POST",
      path: "/v1/rerank",
      body: json(RerankBody),
      returns: json(RerankAnswer),
      answer: (c) => rerank(services, c),
    },
    {
      method: "POST",
      path: "/v1/train",
      changes: true,
      body: json(TrainExamples),
      returns: json(TrainAnswer),
      answer: (c) => train(services, c),
    },
    {
      method: "GET",
      path: "/v1/classifiers",
      returns: json(z.array(Classifier)),
      answer: (c) => listClassifiers(services, c),
    },
    {
      method: "POST",
      path: "/v1/classifiers",
      returns: json(z.array(Classifier)),
      answer: (c) => listClassifiers(services, c),
    },
    {
      method: "GET",
      path: "/v1/classifiers/:id",
      returns: json(Classifier),
      answer: (c) => getClassifier(services, c),
    },
    {
      method: "DELETE",
      path: "/v1/classifiers/:id",
      returns: json(Deleted),
      answer: (c) => deleteClassifier(services, c),
    },
  ],
});

async function hasObjects(c: ForeignContext): Promise<boolean> {
  if (!(await hasField(c, "input"))) return false;
  const { input } = (await jsonBody(c)) as { input: unknown };
  const [first] = Array.isArray(input) ? input : [input];
  return typeof first === "object" && first !== null && !Array.isArray(first);
}

async function embeddings(services: Services, c: ForeignContext): Promise<Response> {
  const body = await foreignBody(c, JinaBody);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const contents = inputs.map((input, i) => contentOf(input, mediaOf, `input[${i}]`));
  const { model, dimensions } = body;
  const request = { model, dimensions, param: "input" };
  const embedded = await embedForeign(services, request, contents, c);
  if (body.truncate === false) await checkNotCut(embedded.pack, contents, signal);
  const requested = body.embedding_type ?? body.encoding_type ?? body.encoding_format ?? "float";
  const types: readonly OutputType[] = typeof requested === "string" ? [requested] : requested;
  return c.json({
    object: "list",
    model: embedded.pack.manifest.id,
    data: embedded.embeddings.map((embedding, index) => ({
      object: "embedding",
      index,
      embedding:
        types.length === 1
          ? asOutputType(embedding, types[0])
          : Object.fromEntries(types.map((type) => [type, asOutputType(embedding, type)])),
    })),
    usage: { total_tokens: embedded.tokens, prompt_tokens: embedded.tokens },
  });
}

/** By the cosine, as (1 + cosine) / 2, of texts, pictures and sounds alike. */
async function rerank(services: Services, c: ForeignContext): Promise<Response> {
  const body = await foreignBody(c, RerankBody);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const contents = [
    contentOf(body.query, mediaOf, "query"),
    ...body.documents.map((one, i) => contentOf(one, mediaOf, `documents[${i}]`)),
  ];
  const request = { model: body.model, param: "documents" };
  const { pack, embeddings, tokens } = await embedForeign(services, request, contents, c);
  const [query, ...documents] = embeddings;
  const results = documents
    .map((embedding, index) => ({
      index,
      relevance_score: (1 + dot(query, embedding)) / 2,
      ...(body.return_documents && { document: documentOf(body.documents[index]) }),
      ...(body.return_embeddings && { embedding: Array.from(embedding) }),
    }))
    .sort((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, body.top_n);
  return c.json({
    object: "list",
    model: pack.manifest.id,
    results,
    usage: { total_tokens: tokens },
  });
}

const documentOf = (input: Input) => (typeof input === "string" ? { text: input } : input);
