import { z } from "zod";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/fields.js";
import { mediaMaker } from "../media-content.js";
import { embedForeign } from "./embed-foreign.js";
import { plainErrors } from "./error-forms.js";
import { foreignBody } from "./foreign-body.js";
import type { Shape } from "./shape.js";
import { checkNotCut } from "./truncation.js";

const Body = z.strictObject({
  model: z.string().min(1),
  input: optional(z.union([z.string(), listOf(z.string(), { max: 100_000 })])),
  /** Ours: base64, after the texts in the answer. */
  images: optional(listOf(z.string().min(1), { max: 100_000 })),
  dimensions: optional(z.int().positive()),
  truncate: optional(z.boolean()),
  /** How long a model stays loaded, and settings of generation: nothing to do here. */
  keep_alive: optional(z.union([z.string(), z.number()])),
  options: optional(z.unknown()),
});

/** Source: ollama/ollama, docs/api.md, "Generate Embeddings". Measured with ollama 0.6.4 (npm). */
export const ollamaShape = (services: Services): Shape => ({
  name: "ollama",
  errors: plainErrors,
  routes: [
    {
      method: "POST",
      path: "/api/embed",
      answer: async (c) => {
        const start = performance.now();
        const { model, input = [], images = [], dimensions, truncate } = await foreignBody(c, Body);
        const signal = c.get("signal");
        const mediaOf = mediaMaker(services, signal);
        const texts = typeof input === "string" ? [input] : input;
        const contents: Content[] = [
          ...texts.map((text) => ({ modality: "text" as const, text })),
          ...images.map((image, i) => mediaOf(image, "image", `images[${i}]`)),
        ];
        // A tag is part of every name there: `starter-clip:latest`.
        const request = { model: model.replace(/:latest$/, ""), dimensions, param: "input" };
        const { pack, embeddings, tokens } = await embedForeign(services, request, contents, c);
        if (truncate === false) await checkNotCut(pack, contents, signal);
        return c.json({
          model,
          embeddings: embeddings.map((embedding) => Array.from(embedding)),
          total_duration: Math.round((performance.now() - start) * 1e6),
          load_duration: 0,
          prompt_eval_count: tokens,
        });
      },
    },
  ],
});
