import { randomUUID } from "node:crypto";
import { z } from "zod";
import { invalidInput } from "../../errors.js";
import { classifyContents } from "../../inference/classify-contents.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/fields.js";
import { type MediaMaker, mediaMaker } from "../media-content.js";
import { jsonBody } from "../read-json.js";
import { isUrl } from "../read-media.js";
import { embedForeign } from "./embed-foreign.js";
import { foreignBody, hasField } from "./foreign-body.js";
import { asOutputType, type OutputType } from "./output-types.js";
import { contentOfText } from "./parts.js";
import type { ErrorForm, ForeignContext, Shape } from "./shape.js";
import { sniffMedia } from "./sniff-content.js";

const Input = z.union([
  z.string().min(1),
  z.strictObject({ text: z.string().min(1) }),
  z.strictObject({ image: z.string().min(1) }),
  z.strictObject({ audio: z.string().min(1) }),
  z.strictObject({ url: z.string().min(1) }),
  z.strictObject({ bytes: z.string().min(1) }),
]);
type Input = z.infer<typeof Input>;
const Inputs = z.union([Input, listOf(Input, { min: 1, max: 100_000 })]);
const Type = z.enum(["float", "base64", "binary", "ubinary"]);

const EmbeddingsBody = z.strictObject({
  model: optional(z.string()),
  input: Inputs,
  embedding_type: optional(z.union([Type, listOf(Type, { min: 1, max: 4 })])),
  /** What @llamaindex/jinaai sends for it. */
  encoding_type: optional(Type),
  encoding_format: optional(Type),
  dimensions: optional(z.int().positive()),
  /** Queries and passages are embedded alike here. */
  task: optional(z.string()),
  normalized: optional(z.literal(true)),
  truncate: optional(z.literal(true)),
  late_chunking: optional(z.literal(false)),
  user: optional(z.string()),
});

const ClassifyBody = z.strictObject({
  model: optional(z.string()),
  /** A head made from examples, by its name. */
  classifier_id: optional(z.string().min(1)),
  input: listOf(Input, { min: 1, max: 100_000 }),
  labels: optional(listOf(z.string().min(1), { min: 1, max: 100_000 })),
});

/** Source: Jina's OpenAPI of 2026-06-17; a request carries an id there too. */
const errors: ErrorForm = ({ body: { code, message } }) => ({
  body: { code, detail: message, request_id: randomUUID() },
});

const ownFields = ["embedding_type", "encoding_type", "task", "normalized", "late_chunking"];

/**
 * Jina's embeddings and classification. What OpenAI's form says too is answered by our own route:
 * the answers are alike.
 */
export const jinaShape = (services: Services): Shape => ({
  name: "jina",
  errors,
  routes: [
    {
      method: "POST",
      path: "/v1/embeddings",
      matches: async (c) =>
        c.req.path.startsWith("/compat/") || (await hasField(c, ...ownFields)) || hasObjects(c),
      answer: (c) => embeddings(services, c),
    },
    { method: "POST", path: "/v1/classify", answer: (c) => classify(services, c) },
  ],
});

async function hasObjects(c: ForeignContext): Promise<boolean> {
  if (!(await hasField(c, "input"))) return false;
  const { input } = (await jsonBody(c)) as { input: unknown };
  const [first] = Array.isArray(input) ? input : [input];
  return typeof first === "object" && first !== null && !Array.isArray(first);
}

async function embeddings(services: Services, c: ForeignContext): Promise<Response> {
  const body = await foreignBody(c, EmbeddingsBody);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const contents = inputs.map((input, i) => contentOf(input, mediaOf, `input[${i}]`));
  const { model, dimensions } = body;
  const request = { model, dimensions, param: "input" };
  const embedded = await embedForeign(services, request, contents, signal);
  const given = body.embedding_type ?? body.encoding_type ?? body.encoding_format ?? "float";
  const types: readonly OutputType[] = typeof given === "string" ? [given] : given;
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

async function classify(services: Services, c: ForeignContext): Promise<Response> {
  const { model, classifier_id: head, input, labels } = await foreignBody(c, ClassifyBody);
  if ((labels === undefined) === (head === undefined)) {
    throw invalidInput("labels", 'Expected either "labels" or "classifier_id"');
  }
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const contents = input.map((one, i) => contentOf(one, mediaOf, `input[${i}]`));
  const other = contents.findIndex(({ modality }) => modality !== contents[0].modality);
  if (other >= 0) {
    const message = `Expected ${contents[0].modality} like the first input; send the others in a request of their own`;
    throw invalidInput(`input[${other}]`, message);
  }
  const query = { model, head, labels };
  const { scored } = await classifyContents(services, query, contents, signal);
  return c.json({
    data: scored.map(({ scores }, index) => ({
      object: "classification",
      index,
      prediction: scores[0].label,
      score: scores[0].score,
      predictions: scores,
    })),
    usage: { total_tokens: 0 },
  });
}

/** A URL or base64 alone is a picture where the field says so, and a text as a string. */
function contentOf(input: Input, mediaOf: MediaMaker, param: string): Content {
  if (typeof input === "string") return contentOfText(input, mediaOf, param);
  if ("text" in input) return { modality: "text", text: input.text };
  if ("image" in input) return mediaOf(input.image, "image", `${param}.image`);
  if ("audio" in input) return mediaOf(input.audio, "audio", `${param}.audio`);
  const [name, field] = Object.entries(input)[0];
  if (isUrl(field)) return mediaOf(field, "image", `${param}.${name}`);
  const media = sniffMedia(field, mediaOf, `${param}.${name}`);
  if (media !== undefined) return media;
  throw invalidInput(`${param}.${name}`, `Expected the base64 of a picture or sound, or a URL`);
}
