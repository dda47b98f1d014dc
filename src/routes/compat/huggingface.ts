import { z } from "zod";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";
import type { Services } from "../../services.js";
import { listOf, optional } from "../../wire/field-types.js";
import { parseBody } from "../../wire/parse-with.js";
import { binary, json } from "../describe.js";
import { type MediaMaker, mediaMaker } from "../media-content.js";
import { readBody } from "../read-body.js";
import { parseHeld } from "../read-json.js";
import { Scores, Vectors } from "./answer-fields.js";
import { embedForeign } from "./embed-foreign.js";
import { plainErrors } from "./error-forms.js";
import { NoPrompt } from "./no-prompt.js";
import type { ForeignContext, Shape } from "./shape.js";
import { sniffContent, sniffMedia } from "./sniff-content.js";
import { checkNotCut } from "./truncation.js";
import { classifyForeign } from "./warnings-header.js";

const Labels = z.union([z.string().min(1), listOf(z.string(), { min: 1, max: 100_000 })]);
const File = z.union([
  z.strictObject({ image: z.string().min(1) }),
  z.strictObject({ audio: z.string().min(1) }),
  z.strictObject({ text: z.string().min(1) }),
]);
const Input = z.union([z.string().min(1), File]);

const Body = z.strictObject({
  inputs: z.union([Input, listOf(Input, { min: 1, max: 100_000 })]),
  parameters: optional(
    z.strictObject({
      candidate_labels: optional(Labels),
      hypothesis_template: optional(z.string()),
      multi_label: optional(z.boolean()),
      top_k: optional(z.int().positive()),
      function_to_apply: optional(z.enum(["softmax", "sigmoid"])),
    }),
  ),
  /** Options of the hub's own service: waiting for a model and its cache. */
  options: optional(z.unknown()),
  normalize: optional(z.literal(true)),
  truncate: optional(z.boolean()),
  truncation_direction: optional(z.enum(["right", "Right"])),
  prompt_name: NoPrompt,
  dimensions: optional(z.int().positive()),
});
type Body = z.infer<typeof Body>;

const Query = z.object({
  candidate_labels: z.string().optional(),
  head: z.string().optional(),
});
/** Embeddings, the scores of one input, or of each. */
const Answer = z.union([Vectors, Scores, z.array(Scores)]);

/**
 * One route for the tasks of Hugging Face's clients, which post to the URL they are given: bytes of
 * a picture or sound, or JSON with texts, base64 or both. Measured with huggingface_hub 2.4.0 and
 * @huggingface/inference 4.13.30.
 */
export function huggingfaceShape(services: Services): Shape {
  const answer = async (c: ForeignContext) => {
    const bytes = await readBody(c);
    const signal = c.get("signal");
    const mediaOf = mediaMaker(services, signal);
    const { model, task } = addressOf(c);
    const labels = labelsOf(c.req.queries("candidate_labels"));
    const head = c.req.query("head");
    const file = sniffMedia(bytes, mediaOf, "body");
    const body: Body =
      file === undefined
        ? await parseBody(Body, await parseHeld(c, bytes))
        : { inputs: "", ...noOptions };
    const { parameters = {} as NonNullable<Body["parameters"]>, inputs } = body;
    const isMany = Array.isArray(inputs);
    const contents =
      file !== undefined
        ? [file]
        : (isMany ? inputs : [inputs]).map((input, i) =>
            contentOf(input, mediaOf, isMany ? `inputs[${i}]` : "inputs", task),
          );
    const requested = labelsOf(parameters.candidate_labels) ?? labels;
    const modality = contents[0].modality;
    const isEmbedding =
      task === undefined ? requested === undefined && head === undefined : /feature/.test(task);
    if (isEmbedding) {
      if (task === undefined && modality !== "text") throw noLabels(modality, model);
      const { dimensions } = body;
      const embedded = await embedForeign(
        services,
        { model, dimensions, param: "inputs" },
        contents,
        c,
      );
      if (body.truncate === false) await checkNotCut(embedded.pack, contents, signal);
      return c.json(embedded.embeddings.map((embedding) => Array.from(embedding)));
    }
    if (requested === undefined && head === undefined) throw noLabels(modality, model);
    const other = contents.findIndex((one) => one.modality !== modality);
    if (other >= 0) throw invalidInput(`inputs[${other}]`, `Expected ${modality} like the first`);
    const { hypothesis_template: template, multi_label, top_k: topK } = parameters;
    const query = {
      model,
      head,
      labels: requested,
      templates: template === undefined ? undefined : [template],
      multiLabel: multi_label ?? parameters.function_to_apply === "sigmoid",
      topK,
    };
    const { scored } = await classifyForeign(services, query, contents, c);
    return c.json(isMany ? scored.map(({ scores }) => scores) : scored[0].scores);
  };
  const paths = ["/", "/hf", "/hf/:model{.+}", "/models/:model{.+}", "/pipeline/:task/:model{.+}"];
  return {
    name: "huggingface",
    ...plainErrors,
    routes: paths.map((path) => ({
      method: "POST",
      path,
      query: Query,
      body: { ...json(Body), ...binary("application/octet-stream") },
      returns: json(Answer),
      answer,
    })),
  };
}

const noOptions = {
  parameters: undefined,
  options: undefined,
  normalize: undefined,
  truncate: undefined,
  truncation_direction: undefined,
  prompt_name: undefined,
  dimensions: undefined,
};

/** `/models/{model}/pipeline/{task}` is how the hub's router names a task. */
function addressOf(c: ForeignContext): { model?: string; task?: string } {
  const model = c.req.param("model");
  const task = c.req.param("task");
  const [, name, inner] = /^(.+)\/pipeline\/([\w-]+)$/.exec(model ?? "") ?? [];
  return inner === undefined ? { model, task } : { model: name, task: inner };
}

/** Labels as a list, or as one text with commas, as the hub takes them. */
function labelsOf(requested: string | readonly string[] | undefined): string[] | undefined {
  if (requested === undefined || requested.length === 0) return undefined;
  const list = typeof requested === "string" ? [requested] : requested;
  return list.length === 1 ? list[0].split(",").map((label) => label.trim()) : [...list];
}

function contentOf(
  input: z.infer<typeof Input>,
  mediaOf: MediaMaker,
  param: string,
  task: string | undefined,
): Content {
  if (typeof input === "object") {
    if ("text" in input) return { modality: "text", text: input.text };
    const [modality, field] = Object.entries(input)[0] as ["image" | "audio", string];
    return mediaOf(field, modality, `${param}.${modality}`);
  }
  if (task?.includes("image")) return mediaOf(input, "image", param);
  if (task?.includes("audio")) return mediaOf(input, "audio", param);
  if (task === "zero-shot-classification") return { modality: "text", text: input };
  return sniffContent(input, mediaOf, param);
}

function noLabels(modality: string, model = "MODEL") {
  const message =
    "The models here have no labels of their own: send parameters.candidate_labels, or add them " +
    "to the URL " +
    `(/hf/${model}?candidate_labels=dog,rain), or name a few-shot head there (?head=NAME); ` +
    `the embedding of ${modality} is at /pipeline/feature-extraction/${model}`;
  return invalidInput("parameters.candidate_labels", message);
}
