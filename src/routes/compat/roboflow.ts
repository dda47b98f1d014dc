import { randomUUID } from "node:crypto";
import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import { dot } from "../../math/vector.js";
import type { Services } from "../../services.js";
import { listOf, optional, withDefault } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { type MediaMaker, mediaMaker } from "../media-content.js";
import { Vector, Vectors } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import { foreignBody } from "./foreign-body.js";
import { checkUri } from "./parts.js";
import type { ForeignContext, Shape } from "./shape.js";

const Image = z.strictObject({ type: z.enum(["url", "base64"]), value: z.string().min(1) });
const Text = z.string().min(1);
const Kind = z.enum(["image", "text"]);
const Item = z.union([Image, Text]);
const shared = {
  api_key: optional(z.string()),
  clip_version_id: optional(z.string()),
  model_id: optional(z.string()),
};
const ImageBody = z.strictObject({
  ...shared,
  image: z.union([Image, listOf(Image, { min: 1, max: 100_000 })]),
});
const TextBody = z.strictObject({
  ...shared,
  text: z.union([Text, listOf(Text, { min: 1, max: 100_000 })]),
});
const CompareBody = z.strictObject({
  ...shared,
  subject: Item,
  subject_type: withDefault(Kind, "image"),
  prompt: z.union([Item, listOf(Item, { min: 1, max: 100_000 }), z.record(z.string(), Item)]),
  prompt_type: withDefault(Kind, "text"),
});

const Embeddings = z.object({ frame_id: z.string(), embeddings: Vectors, time: z.number() });
const Compared = z.object({
  similarity: z.union([Vector, z.record(z.string(), z.number())]),
  time: z.number(),
});

/**
 * Source: roboflow/inference, inference/core/entities/requests/clip.py. Tried with inference-sdk
 * 1.8.3 (PyPI).
 */
export const roboflowShape = (services: Services): Shape => ({
  name: "roboflow",
  errors: ({ body }) => ({ body: { message: body.message } }),
  ErrorAnswer: z.object({ message: z.string() }),
  routes: [
    {
      method: "POST",
      path: "/clip/embed_image",
      body: json(ImageBody),
      returns: json(Embeddings),
      answer: async (c) => {
        const { image } = await foreignBody(c, ImageBody);
        const images = Array.isArray(image) ? image : [image];
        return embeddings(services, c, "image", images);
      },
    },
    {
      method: "POST",
      path: "/clip/embed_text",
      body: json(TextBody),
      returns: json(Embeddings),
      answer: async (c) => {
        const { text } = await foreignBody(c, TextBody);
        return embeddings(services, c, "text", typeof text === "string" ? [text] : text);
      },
    },
    {
      method: "POST",
      path: "/clip/compare",
      body: json(CompareBody),
      returns: json(Compared),
      answer: (c) => compare(services, c),
    },
  ],
});

type Item = z.infer<typeof Item>;

/** Pictures and texts share one space: that of the first model with both. */
const modelOf = ({ packs }: Services) => packs.find(undefined, "image", "text").manifest.id;

async function embeddings(
  services: Services,
  c: ForeignContext,
  kind: z.infer<typeof Kind>,
  items: readonly Item[],
): Promise<Response> {
  const start = performance.now();
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const contents = items.map((item, i) => contentOf(item, kind, mediaOf, `${kind}[${i}]`));
  const request = { model: modelOf(services), param: kind };
  const embedded = await embedForeign(services, request, contents, c);
  return c.json({
    frame_id: randomUUID(), // inference-sdk fails without one
    embeddings: embedded.embeddings.map((embedding) => Array.from(embedding)),
    time: (performance.now() - start) / 1000,
  });
}

async function compare(services: Services, c: ForeignContext): Promise<Response> {
  const start = performance.now();
  const body = await foreignBody(c, CompareBody);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const { prompt } = body;
  const isOne = typeof prompt === "string" || Image.safeParse(prompt).success;
  const named: [string, Item][] = isOne
    ? [["0", prompt as Item]]
    : (Object.entries(prompt as Record<string, Item>) as [string, Item][]);
  if (named.length === 0) throw invalidInput("prompt", '"prompt" is empty');
  const contents = [
    contentOf(body.subject, body.subject_type, mediaOf, "subject"),
    ...named.map(([name, item]) => contentOf(item, body.prompt_type, mediaOf, `prompt.${name}`)),
  ];
  const request = { model: modelOf(services), param: "prompt" };
  const { embeddings } = await embedForeign(services, request, contents, c);
  const [subject, ...prompts] = embeddings;
  const similarities = prompts.map((embedding) => dot(subject, embedding));
  const isDictionary = !isOne && !Array.isArray(prompt);
  return c.json({
    similarity: isDictionary
      ? Object.fromEntries(named.map(([name], i) => [name, similarities[i]]))
      : similarities,
    time: (performance.now() - start) / 1000,
  });
}

function contentOf(
  item: Item,
  kind: z.infer<typeof Kind>,
  mediaOf: MediaMaker,
  param: string,
): Content {
  if (typeof item === "string") {
    if (kind === "text") return { modality: "text", text: item };
    throw invalidInput(param, `Expected {"type", "value"} of a picture but received a text`);
  }
  if (kind === "text") throw invalidInput(param, "Expected a text but received a picture");
  const value = item.type === "url" ? checkUri(item.value, param) : item.value;
  return mediaOf(value, "image", param);
}
