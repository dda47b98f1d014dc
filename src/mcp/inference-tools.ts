import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { EmbeddingsAnswer } from "../wire/embeddings.js";
import { ZeroShotAnswer } from "../wire/zero-shot.js";
import { askForJson } from "./ask.js";
import { contentFields, contentOf } from "./content.js";
import { addTool, type ToolParts } from "./tool.js";

const model = z
  .string()
  .min(1)
  .optional()
  .describe("Model to use. Default: the first that understands the modality.");
const annotations = { readOnlyHint: true, openWorldHint: false };

/** One embedding, out of the list that the route answers. */
const Embedded = EmbeddingsAnswer.pick({ model: true, space: true }).extend({
  dimensions: z.int(),
  embedding: z.array(z.number()),
  warnings: EmbeddingsAnswer.shape.data.element.shape.warnings,
});

/** `classify` and `embed`. */
export function addInferenceTools(server: McpServer, parts: ToolParts): void {
  const { ask, files } = parts;

  addTool(server, parts, {
    name: "classify",
    title: "Classify by any labels",
    description:
      "Says which of your labels fits a picture, sound or text best (zero-shot: any labels work, " +
      'best as short descriptions such as "a dog barking"). Give exactly one content. Scores ' +
      "come " +
      "best first and sum to 1 over the labels; with multi_label each is a probability of its own.",
    input: z.strictObject({
      ...contentFields(files),
      labels: z.array(z.string()).min(1).max(1000).describe("The labels to choose from."),
      model,
      multi_label: z
        .boolean()
        .default(false)
        .describe("Score each label independently: several or none may fit."),
      top_k: z.int().min(1).optional().describe("Return only this many of the best labels."),
    }),
    output: ZeroShotAnswer,
    annotations,
    async run({ text, image, audio, file, labels, ...settings }, signal) {
      const { modality, value } = await contentOf({ text, image, audio, file }, files);
      const body = { [modality]: value, candidate_labels: labels, ...settings };
      const structured = await askForJson<ZeroShotAnswer>(ask, "/v1/zero-shot", { body, signal });
      return { structured };
    },
  });

  addTool(server, parts, {
    name: "embed",
    title: "Embed",
    description:
      "The embedding of a text, picture or sound: a vector of unit length. Two of the same space " +
      "can be compared by their dot product. To find something use search, which needs no " +
      "vectors.",
    input: z.strictObject({ ...contentFields(files), model }),
    output: Embedded,
    annotations,
    async run({ model, ...content }, signal) {
      const { modality, value } = await contentOf(content, files);
      const body = { input: value, modality, model };
      const answer = await askForJson<EmbeddingsAnswer>(ask, "/v1/embeddings", { body, signal });
      const [{ embedding, warnings }] = answer.data;
      return {
        structured: {
          model: answer.model,
          space: answer.space,
          dimensions: embedding.length,
          embedding,
          warnings,
        },
      };
    },
  });
}
