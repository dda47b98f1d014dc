import { z } from "zod";
import type { LoadedPack } from "../../encoders/load.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { version } from "../../version.js";
import { listOf, optional } from "../../wire/field-types.js";
import { parseBody } from "../../wire/parse-with.js";
import { json } from "../describe.js";
import { mediaMaker } from "../media-content.js";
import { readBody } from "../read-body.js";
import { parseHeld } from "../read-json.js";
import { Vector, Vectors } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import { plainErrors } from "./error-forms.js";
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

const Tags = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      model: z.string(),
      modified_at: z.string(),
      size: z.int(),
      digest: z.string(),
      details: z.object({
        parent_model: z.string(),
        format: z.string(),
        family: z.string(),
        families: z.array(z.string()),
        parameter_size: z.string(),
        quantization_level: z.string(),
      }),
    }),
  ),
});

/** A tag is part of every name there: `starter-clip:latest`. */
const nameOf = (model: string) => model.replace(/:latest$/, "");

/** JSON of whatever type: its documentation's curl sends none. */
async function bodyOf<S extends z.ZodType>(c: ForeignContext, schema: S): Promise<z.infer<S>> {
  return parseBody(schema, await parseHeld(c, await readBody(c)));
}

/**
 * Source: ollama/ollama, docs/api.md: "Generate Embeddings", "Generate Embedding", which it
 * replaced, "List Local Models" and "Version". Measured with ollama 0.6.4 (npm).
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
        const { model, prompt: text } = await bodyOf(c, OldBody);
        const request = { model: nameOf(model), param: "prompt" };
        services.packs.find(request.model);
        // By an empty text its clients load a model
        if (text === "") return c.json({ embedding: [] });
        const contents = [{ modality: "text" as const, text }];
        const { embeddings } = await embedForeign(services, request, contents, c);
        return c.json({ embedding: Array.from(embeddings[0]) });
      },
    },
    {
      method: "GET",
      path: "/api/tags",
      returns: json(Tags),
      answer: (c) => c.json({ models: services.packs.list().map(tagOf) }),
    },
    {
      method: "GET",
      path: "/api/version",
      returns: json(z.object({ version: z.string() })),
      answer: (c) => c.json({ version }),
    },
  ],
});

function tagOf({ manifest, towers, space }: LoadedPack): z.infer<typeof Tags>["models"][number] {
  const { id, family } = manifest;
  const name = `${id}:latest`;
  return {
    name,
    model: name,
    modified_at: new Date(0).toISOString(), // manifests have no date
    size: towers.reduce((sum, { bytes }) => sum + bytes, 0),
    digest: space,
    details: {
      parent_model: "",
      format: "onnx",
      family,
      families: [family],
      parameter_size: "",
      quantization_level: towers[0]?.dtype ?? "",
    },
  };
}

async function embed(services: Services, c: ForeignContext): Promise<Response> {
  const start = performance.now();
  const { model, input = [], images = [], dimensions, truncate } = await bodyOf(c, Body);
  const signal = c.get("signal");
  const mediaOf = mediaMaker(services, signal);
  const texts = typeof input !== "string" ? input : input === "" ? [] : [input];
  const contents: Content[] = [
    ...texts.map((text) => ({ modality: "text" as const, text })),
    ...images.map((image, i) => mediaOf(image, "image", `images[${i}]`)),
  ];
  const request = { model: nameOf(model), dimensions, param: "input" };
  const { pack, embeddings, tokens } =
    contents.length > 0
      ? await embedForeign(services, request, contents, c)
      : { pack: services.packs.find(request.model), embeddings: [], tokens: 0 };
  if (truncate === false) await checkNotCut(pack, contents, signal);
  return c.json({
    model,
    embeddings: embeddings.map((embedding) => Array.from(embedding)),
    total_duration: Math.round((performance.now() - start) * 1e6),
    load_duration: 0,
    prompt_eval_count: tokens,
  });
}
