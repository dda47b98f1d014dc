import { z } from "zod";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/field-types.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { Vector, Vectors } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import { plainErrors } from "./error-forms.js";
import { foreignBody } from "./foreign-body.js";
import type { ForeignContext, Shape } from "./shape.js";
import { checkNotCut } from "./truncation.js";

/** How long a model stays loaded, and settings of generation: nothing to do here. */
const ignored = {
  keep_alive: optional(z.union([z.string(), z.number()])),
  options: optional(z.unknown()),
};

const Body = z.strictObject({
  model: z.string().min(1),
  input: optional(z.union([z.string(), listOf(z.string(), { max: 100_000 })])),
  /** Ours: base64, after the texts in the answer. */
  images: optional(listOf(z.string().min(1), { max: 100_000 })),
  dimensions: optional(z.int().positive()),
  truncate: optional(z.boolean()),
  ...ignored,
});
const OldBody = z.strictObject({ model: z.string().min(1), prompt: z.string(), ...ignored });

const Answer = z.object({
  model: z.string(),
  embeddings: Vectors,
  total_duration: z.int(),
  load_duration: z.int(),
  prompt_eval_count: z.int(),
});

/** A tag is part of every name there: `starter-clip:latest`. */
const nameOf = (model: string) => model.replace(/:latest$/, "");

/**
 * Source: ollama/ollama, docs/api.md, "Generate Embeddings" and "Generate Embedding", which it
 * replaced. Measured with ollama 0.6.4 (npm).
 */
export const ollamaShape = (services: Services): Shape => ({
  name: "ollama",
  ...plainErrors,
  routes: [
    {
      method: "POST",
      path: "/api/embed",
      body: json(Body),
      returns: json(Answer),
      answer: (c) => embed(services, c),
    },
    {
      method: "POST",
      path: "/api/embeddings",
      body: json(OldBody),
      returns: json(z.object({ embedding: Vector })),
      answer: async (c) => {
        const { model, prompt: text } = await foreignBody(c, OldBody);
        const request = { model: nameOf(model), param: "prompt" };
        const contents = [{ modality: "text" as const, text }];
        const { embeddings } = await embedForeign(services, request, contents, c);
        return c.json({ embedding: Array.from(embeddings[0]) });
      },
    },
  ],
});

async function embed(services: Services, c: ForeignContext): Promise<Response> {
  const start = performance.now();
  const { model, input = [], images = [], dimensions, truncate } = await foreignBody(c, Body);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const texts = typeof input === "string" ? [input] : input;
  const contents: Content[] = [
    ...texts.map((text) => ({ modality: "text" as const, text })),
    ...images.map((image, i) => mediaOf(image, "image", `images[${i}]`)),
  ];
  const request = { model: nameOf(model), dimensions, param: "input" };
  const { pack, embeddings, tokens } = await embedForeign(services, request, contents, c);
  if (truncate === false) await checkNotCut(pack, contents, signal);
  return c.json({
    model,
    embeddings: embeddings.map((embedding) => Array.from(embedding)),
    total_duration: Math.round((performance.now() - start) * 1e6),
    load_duration: 0,
    prompt_eval_count: tokens,
  });
}
