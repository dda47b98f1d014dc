import { z } from "zod";
import { AppError } from "../../errors.js";
import type { Services } from "../../services.js";
import { AnyObject, listOf } from "../../wire/field-types.js";
import { parseBody } from "../../wire/parse-with.js";
import { json } from "../describe.js";
import { Scores, Vector, Vectors } from "./answer-fields.js";
import { foreignBody, hasField } from "./foreign-body.js";
import type { ErrorForm, ForeignContext, Shape } from "./shape.js";
import {
  EmbedBody,
  embed,
  PredictBody,
  predict,
  Ranks,
  RerankBody,
  rerank,
  SimilarityBody,
  similarity,
} from "./tei-tasks.js";
import { DecodeBody, decode, TokenizeBody, Tokens, tokenize } from "./tei-tokens.js";

const VertexBody = z.strictObject({ instances: listOf(AnyObject, { max: 1000 }) });
const VertexAnswer = z.object({ predictions: z.array(z.union([Vectors, Ranks])) });
const Info = z.object({
  model_id: z.string(),
  model_sha: z.string(),
  model_dtype: z.string(),
  served_model_name: z.string(),
  model_type: z.object({ embedding: z.object({ pooling: z.string() }) }),
  max_concurrent_requests: z.int(),
  max_input_length: z.int(),
  max_batch_tokens: z.int(),
  max_batch_requests: z.int(),
  max_client_batch_size: z.int(),
  auto_truncate: z.literal(true),
  tokenization_workers: z.int(),
  version: z.string(),
  sha: z.null(),
  docker_label: z.null(),
});
const errorTypes = [
  "Unhealthy",
  "Backend",
  "Overloaded",
  "Validation",
  "Tokenizer",
  "Empty",
] as const;

/**
 * An empty list is 400 Empty there. Source: huggingface/text-embeddings-inference at 0d124dc,
 * router/src/http/{types,server}.rs.
 */
const errors: ErrorForm = ({ status, body: { message } }) => {
  const kinds: Record<number, [(typeof errorTypes)[number], number]> = {
    400: / is empty$/.test(message) ? ["Empty", 400] : ["Validation", 422],
    409: ["Backend", 424],
    413: ["Validation", 413],
    422: ["Validation", 422],
    429: ["Overloaded", 429],
    503: ["Unhealthy", 503],
  };
  const [type, shown] =
    kinds[status] ?? (status >= 500 ? ["Backend", 424] : ["Validation", status]);
  return { body: { error: message, error_type: type }, status: shown };
};

export const teiShape = (services: Services): Shape => ({
  name: "tei",
  errors,
  ErrorAnswer: z.object({ error: z.string(), error_type: z.enum(errorTypes) }),
  routes: [
    // SageMaker's path is the same task; "/" too, which Hugging Face's own shape answers here
    ...["/embed", "/invocations", "/"].map((path) => ({
      method: "POST" as const,
      path,
      ...(path === "/" && { onlyUnderPrefix: true as const }),
      body: json(EmbedBody),
      returns: json(Vectors),
      answer: async (c: ForeignContext) =>
        c.json(await embed(services, await foreignBody(c, EmbedBody), c)),
    })),
    // SageMaker's probe; elsewhere the path is Immich's
    {
      method: "GET",
      path: "/ping",
      onlyUnderPrefix: true,
      answer: (c) => c.body(null, 200),
    },
    {
      method: "POST",
      path: "/similarity",
      body: json(SimilarityBody),
      returns: json(Vector),
      answer: (c) => similarity(services, c),
    },
    {
      method: "POST",
      path: "/rerank",
      matches: (c) => hasField(c, "texts"),
      body: json(RerankBody),
      returns: json(Ranks),
      answer: async (c) => c.json(await rerank(services, await foreignBody(c, RerankBody), c)),
    },
    {
      method: "POST",
      path: "/predict",
      matches: (c) => hasField(c, "inputs"),
      body: json(PredictBody),
      returns: json(z.union([Scores, z.array(Scores)])),
      answer: (c) => predict(services, c),
    },
    {
      method: "POST",
      path: "/vertex",
      body: json(VertexBody),
      returns: json(VertexAnswer),
      answer: (c) => vertex(services, c),
    },
    {
      method: "POST",
      path: "/tokenize",
      body: json(TokenizeBody),
      returns: json(z.array(Tokens)),
      answer: (c) => tokenize(services, c),
    },
    {
      method: "POST",
      path: "/decode",
      body: json(DecodeBody),
      returns: json(z.array(z.string())),
      answer: (c) => decode(services, c),
    },
    ...["/embed_all", "/embed_sparse"].map((path) => ({
      method: "POST" as const,
      path,
      body: json(AnyObject),
      answer: () => refuse(path === "/embed_all" ? "vectors of tokens" : "sparse vectors"),
    })),
    {
      method: "GET",
      path: "/health",
      onlyUnderPrefix: true,
      answer: (c) => c.body(null, services.troubles().length === 0 ? 200 : 503),
    },
    { method: "GET", path: "/info", returns: json(Info), answer: (c) => c.json(info(services)) },
  ],
});

/** Outputs that towers do not have. TEI answers 424 for such models. */
function refuse(feature: string): never {
  const message = `The models here give one vector for each input, and no ${feature}`;
  throw new AppError("no_path", message);
}

/** `POST /vertex`: several requests of `/embed` or `/rerank` in one. */
async function vertex(services: Services, c: ForeignContext): Promise<Response> {
  const { instances } = await foreignBody(c, VertexBody);
  const predictions: object[] = [];
  for (const [i, instance] of instances.entries()) {
    const answer =
      "texts" in instance
        ? parseBody(RerankBody, instance).then((body) => rerank(services, body, c))
        : parseBody(EmbedBody, instance).then((body) => embed(services, body, c));
    predictions.push(
      await answer.catch((error) => {
        throw error instanceof AppError ? error.within(`instances[${i}]`) : error;
      }),
    );
  }
  return c.json({ predictions });
}

function info({ packs, config }: Services): z.infer<typeof Info> {
  const { manifest, towers } = packs.find(undefined, "text");
  const text = towers.find(({ modality }) => modality === "text");
  const contextLength = manifest.towers.text?.preprocess.contextLength ?? 0;
  return {
    model_id: manifest.id,
    model_sha: manifest.revision,
    model_dtype: text?.dtype ?? "",
    served_model_name: manifest.id,
    model_type: { embedding: { pooling: "cls" } },
    max_concurrent_requests: config.maxQueued,
    max_input_length: contextLength,
    max_batch_tokens: config.maxBatch * contextLength,
    max_batch_requests: config.maxBatch,
    max_client_batch_size: config.maxInputs,
    auto_truncate: true,
    tokenization_workers: 1,
    version: "1.9.0",
    sha: null,
    docker_label: null,
  };
}
