import { z } from "zod";
import type { Services } from "../../services.js";
import { listOf, optional, withDefault } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { embedGroups } from "./embed-foreign.js";
import { foreignBody } from "./foreign-body.js";
import { OpenaiList } from "./openai-list.js";
import { asOutputType } from "./output-types.js";
import { contentOfPart, Part } from "./parts.js";
import type { ErrorForm, ForeignContext, Shape } from "./shape.js";

const Body = z.strictObject({
  model: optional(z.string()),
  inputs: listOf(z.strictObject({ content: listOf(Part, { min: 1, max: 1000 }) }), {
    min: 1,
    max: 100_000,
  }),
  /** Queries and documents are embedded in the same way. */
  input_type: optional(z.enum(["query", "document"])),
  truncation: optional(z.literal(true)),
  output_encoding: optional(z.literal("base64")),
  encoding_format: optional(z.literal("base64")),
  output_dtype: withDefault(z.enum(["float", "int8", "uint8", "binary", "ubinary"]), "float"),
  output_dimension: optional(z.int().positive()),
});

const Answer = OpenaiList.extend({
  usage: z.object({
    text_tokens: z.int(),
    image_pixels: z.int(),
    video_pixels: z.int(),
    total_tokens: z.int(),
  }),
});

/** What a request names wrongly, a model too, is 400 there. Source: Voyage's API, "Error codes". */
const errors: ErrorForm = ({ status, body: { message } }) => ({
  body: { detail: message },
  status: status === 404 || status === 422 ? 400 : status,
});

/** Measured with voyageai 0.4.0 (npm) and 0.5.0 (PyPI), which sends pictures as WebP. */
export const voyageShape = (services: Services): Shape => ({
  name: "voyage",
  errors,
  ErrorAnswer: z.object({ detail: z.string() }),
  routes: [
    {
      method: "POST",
      path: "/v1/multimodalembeddings",
      body: json(Body),
      returns: json(Answer),
      answer: (c) => embed(services, c),
    },
  ],
});

async function embed(services: Services, c: ForeignContext): Promise<Response> {
  const body = await foreignBody(c, Body);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const groups = body.inputs.map(({ content }, i) =>
    content.map((part, j) => contentOfPart(part, mediaOf, `inputs[${i}].content[${j}]`)),
  );
  const { model, output_dimension: dimensions, output_dtype: type } = body;
  const request = { model, dimensions, param: "inputs" };
  const { pack, embeddings, tokens } = await embedGroups(services, request, groups, c);
  const inBase64 = (body.encoding_format ?? body.output_encoding) === "base64";
  return c.json({
    object: "list",
    model: pack.manifest.id,
    data: embeddings.map((embedding, index) => {
      if (!inBase64)
        return { object: "embedding", index, embedding: asOutputType(embedding, type) };
      if (type === "float")
        return { object: "embedding", index, embedding: asOutputType(embedding, "base64") };
      const bytes = Int8Array.from(asOutputType(embedding, type) as number[]);
      return { object: "embedding", index, embedding: Buffer.from(bytes).toString("base64") };
    }),
    // Pixels are not counted; the Python client fails without either of them.
    usage: { text_tokens: tokens, image_pixels: 0, video_pixels: 0, total_tokens: tokens },
  });
}
