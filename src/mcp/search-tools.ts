import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { Modality } from "../wire/field-types.js";
import { SearchAnswer } from "../wire/search.js";
import { askForJson } from "./ask.js";
import { contentFields, contentOf } from "./content.js";
import { pathOf } from "./paths.js";
import { resultMedia } from "./result-media.js";
import { addTool, type ToolAnswer, type ToolParts } from "./tool.js";

const shared = {
  top_k: z.int().min(1).max(100).default(10).describe("How many items to find."),
  filter: z
    .looseObject({})
    .optional()
    .describe(
      'Only items with such metadata: {"field": "year", "op": "gte", "value": 2020}; op is ' +
        'eq, in, lt, lte, gt, gte, exists or contains; combine with {"and": […]}, {"or": […]}, ' +
        '{"not": …}.',
    ),
  modality: Modality.optional().describe("Only items of this modality."),
  min_similarity: z
    .number()
    .optional()
    .describe("Only items at least this similar (cosine, -1 to 1)."),
  previews: z
    .int()
    .min(0)
    .max(20)
    .default(4)
    .describe("How many of the best pictures and sounds to show in the answer."),
};
const collection = z.string().min(1).describe("Name of the collection; the tool list names them.");
const annotations = { readOnlyHint: true, openWorldHint: false };

interface Query {
  collection: string;
  previews: number;
  [setting: string]: unknown;
}

/** `search` and `similar`. */
export function addSearchTools(server: McpServer, parts: ToolParts): void {
  const { ask, files } = parts;

  async function search({ collection, previews, ...body }: Query, signal: AbortSignal) {
    const path = `${pathOf(collection)}/search`;
    const structured = await askForJson<SearchAnswer>(ask, path, { body, signal });
    const shown = structured.results.filter(({ modality }) => modality !== "text");
    const media = await resultMedia(parts, collection, shown.slice(0, previews), signal);
    return { structured, media } satisfies ToolAnswer;
  }

  addTool(server, parts, {
    name: "search",
    title: "Search a collection",
    description:
      "Finds the items of a collection that are most like a text, a picture or a sound: " +
      "pictures and sounds by a description, pictures by a picture, and across modalities. Give " +
      "exactly one query. Results come best first with their cosine similarity; small pictures " +
      "of the best follow, sounds where they can be read, and links to the originals.",
    input: z.strictObject({ collection, ...contentFields(files), ...shared }),
    output: SearchAnswer,
    annotations,
    async run({ text, image, audio, file, ...settings }, signal) {
      const { modality, value } = await contentOf({ text, image, audio, file }, files);
      return search({ ...settings, [modality]: value }, signal);
    },
  });

  addTool(server, parts, {
    name: "similar",
    title: "Find similar items",
    description: "Finds the items of a collection that are most like one of its items.",
    input: z.strictObject({
      collection,
      id: z.string().min(1).describe("Id of the item."),
      ...shared,
    }),
    output: SearchAnswer,
    annotations,
    run: ({ id, ...settings }, signal) => search({ ...settings, item_id: id }, signal),
  });
}
