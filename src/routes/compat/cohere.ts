import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Embedding } from "../../encoders/encoder.js";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import { pictureSize } from "../../media/picture-size.js";
import { sniffFormat } from "../../media/sniff.js";
import type { Services } from "../../services.js";
import { listOf, optional, withDefault } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { AnyVector } from "./answer-fields.js";
import { embedGroups } from "./embed-foreign.js";
import { foreignBody } from "./foreign-body.js";
import { asOutputType, outputTypes } from "./output-types.js";
import { checkUri, contentOfPart, Part } from "./parts.js";
import type { ErrorForm, ForeignContext, Shape } from "./shape.js";

const Texts = listOf(z.string().min(1), { min: 1, max: 100_000 });

const Body = z.strictObject({
  model: optional(z.string()),
  /** Documents and queries are embedded in the same way. */
  input_type: optional(
    z.enum(["search_document", "search_query", "classification", "clustering", "image"]),
  ),
  texts: optional(Texts),
  images: optional(Texts),
  inputs: optional(
    listOf(z.strictObject({ content: listOf(Part, { min: 1, max: 1000 }) }), {
      min: 1,
      max: 100_000,
    }),
  ),
  embedding_types: withDefault(listOf(z.enum(outputTypes), { min: 1, max: 6 }), ["float"]),
  output_dimension: optional(z.int().positive()),
  max_tokens: optional(z.int().positive()),
  truncate: optional(z.literal("END")),
  priority: optional(z.int()),
});

const Answer = z.object({
  id: z.string(),
  embeddings: z.partialRecord(z.enum(outputTypes), z.array(AnyVector)),
  texts: z.array(z.string()),
  images: z
    .array(
      z.object({
        width: z.int(),
        height: z.int(),
        format: z.string(),
        bit_depth: z.int(),
      }),
    )
    .optional(),
  meta: z.object({
    api_version: z.object({ version: z.literal("2") }),
    billed_units: z.object({ input_tokens: z.int() }),
  }),
  response_type: z.literal("embeddings_by_type"),
});

/** Source: Cohere's API, POST /v2/embed, "Errors". */
const errors: ErrorForm = ({ body: { message } }) => ({ body: { id: randomUUID(), message } });

/** Measured with cohere-ai 8.1.0 and cohere 7.3.1. */
export const cohereShape = (services: Services): Shape => ({
  name: "cohere",
  errors,
  ErrorAnswer: z.object({ id: z.string(), message: z.string() }),
  routes: [
    {
      method: "POST",
      path: "/v2/embed",
      body: json(Body),
      returns: json(Answer),
      answer: (c) => embed(services, c),
    },
  ],
});

async function embed(services: Services, c: ForeignContext): Promise<Response> {
  const body = await foreignBody(c, Body);
  const { texts, images, inputs, embedding_types: types } = body;
  const present = Object.entries({ texts, images, inputs }).filter(([, value]) => value);
  if (present.length !== 1) {
    const received = present.map(([name]) => name).join(" and ") || "none";
    throw invalidInput(
      "texts",
      `Expected one of texts, images and inputs but received ${received}`,
    );
  }
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const groups: Content[][] =
    texts?.map((text) => [{ modality: "text", text }]) ??
    images?.map((uri, i) => [mediaOf(checkUri(uri, `images[${i}]`), "image", `images[${i}]`)]) ??
    inputs!.map(({ content }, i) =>
      content.map((part, j) => contentOfPart(part, mediaOf, `inputs[${i}].content[${j}]`)),
    );
  const { model, output_dimension: dimensions } = body;
  const request = { model, dimensions, param: present[0][0] };
  const { embeddings, tokens } = await embedGroups(services, request, groups, c);
  return c.json({
    id: randomUUID(),
    embeddings: Object.fromEntries(
      types.map((type) => [type, embeddings.map((one: Embedding) => asOutputType(one, type))]),
    ),
    texts: texts ?? [],
    ...(images !== undefined && { images: images.map(aboutPicture) }),
    meta: { api_version: { version: "2" }, billed_units: { input_tokens: tokens } },
    response_type: "embeddings_by_type",
  });
}

/** Nothing is reported about a picture behind a URL. */
function aboutPicture(uri: string) {
  const bytes = Buffer.from(uri.slice(uri.indexOf(",") + 1, 2 ** 21), "base64");
  const { width = 0, height = 0 } = pictureSize(bytes) ?? {};
  return { width, height, format: sniffFormat(bytes) ?? "", bit_depth: 24 };
}
