import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/field-types.js";
import { ModelList } from "../../wire/models.js";
import { json } from "../describe.js";
import { type MediaMaker, mediaMaker } from "../media-content.js";
import { modelList } from "../models.js";
import { Vectors } from "./answer-fields.js";
import { embedGroups } from "./embed-foreign.js";
import { foreignBody, hasField } from "./foreign-body.js";
import type { ErrorForm, Shape } from "./shape.js";
import { sniffMedia } from "./sniff-content.js";

const marker = "<__media__>";

const Prompt = z.union([
  z.string().min(1),
  z.strictObject({
    prompt_string: z.string(),
    multimodal_data: optional(listOf(z.string().min(1), { max: 1000 })),
  }),
]);
const Body = z.strictObject({
  model: optional(z.string()),
  content: z.union([Prompt, listOf(Prompt, { min: 1, max: 100_000 })]),
});

const Query = z.object({ model: z.string().optional() });
const Answer = z.array(z.object({ index: z.int(), embedding: Vectors }));
const Props = z.object({
  media_marker: z.literal(marker),
  modalities: z.object({ vision: z.boolean(), audio: z.boolean() }),
  default_generation_settings: z.object({ n_ctx: z.int() }),
});
const ErrorAnswer = z.object({
  error: z.object({ code: z.int(), message: z.string(), type: z.string() }),
});

/** Source: ggml-org/llama.cpp, tools/server/server-common.cpp, format_error_response. */
const errors: ErrorForm = ({ status, body: { message, type } }) => ({
  body: { error: { code: status, message, type } },
});

/**
 * What Frigate's llama.cpp provider asks for. Source: blakeblackshear/frigate at e3fa701,
 * frigate/genai/llama_cpp.py. `/v1/models` is our own, whose entries have `aliases`, `architecture`
 * and `meta` for it.
 */
export function llamaCppShape(services: Services): Shape {
  const { packs } = services;
  return {
    name: "llama.cpp",
    errors,
    ErrorAnswer,
    routes: [
      {
        method: "GET",
        path: "/v1/models",
        onlyUnderPrefix: true,
        returns: json(ModelList),
        answer: (c) => c.json(modelList(services)),
      },
      {
        method: "GET",
        path: "/props",
        query: Query,
        returns: json(Props),
        answer: (c) => {
          const { encoders, manifest } = packs.find(c.req.query("model") || undefined);
          return c.json({
            media_marker: marker,
            modalities: {
              vision: encoders.image !== undefined,
              audio: encoders.audio !== undefined,
            },
            default_generation_settings: {
              n_ctx: manifest.towers.text?.preprocess.contextLength ?? 0,
            },
          });
        },
      },
      {
        method: "POST",
        path: "/embeddings",
        matches: (c) => hasField(c, "content"),
        body: json(Body),
        returns: json(Answer),
        answer: async (c) => {
          const { content, model } = await foreignBody(c, Body);
          const signal = c.get("signal");
          const mediaOf = mediaMaker(services, signal);
          const prompts = Array.isArray(content) ? content : [content];
          const groups = prompts.map((prompt, i) => contentsOf(prompt, mediaOf, `content[${i}]`));
          const inputs = { model, param: "content" };
          const { embeddings } = await embedGroups(services, inputs, groups, c);
          return c.json(
            embeddings.map((embedding, index) => ({ index, embedding: [Array.from(embedding)] })),
          );
        },
      },
    ],
  };
}

/** The files, and the text around their markers. */
function contentsOf(prompt: z.infer<typeof Prompt>, mediaOf: MediaMaker, at: string): Content[] {
  if (typeof prompt === "string") return [{ modality: "text", text: prompt }];
  const { prompt_string: text, multimodal_data: files = [] } = prompt;
  const pieces = text.split(marker);
  if (pieces.length - 1 !== files.length) {
    const message =
      `Expected a ${marker} for each of the ${files.length} files but received ` +
      `${pieces.length - 1}`;
    throw invalidInput(`${at}.prompt_string`, message);
  }
  const media = files.map((file, i): Content => {
    const param = `${at}.multimodal_data[${i}]`;
    const found = sniffMedia(file, mediaOf, param);
    if (found !== undefined) return found;
    throw invalidInput(param, `Expected the base64 of a picture or sound in "${param}"`);
  });
  const rest = pieces.join(" ").trim();
  return rest === "" ? media : [...media, { modality: "text", text: rest }];
}
