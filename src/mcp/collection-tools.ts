import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { CollectionAnswer, type CollectionList } from "../wire/collections.js";
import { Modality } from "../wire/field-types.js";
import { GapAnswer } from "../wire/gap.js";
import { ItemPage, type ItemStatuses, StoredItem } from "../wire/items.js";
import { ModelAnswer, type ModelList } from "../wire/models.js";
import { askForJson, ToolError } from "./ask.js";
import { contentFields, contentOf } from "./content.js";
import { pathOf } from "./paths.js";
import { addTool, type ToolParts } from "./tool.js";

const Model = ModelAnswer.pick({ id: true, modalities: true, space: true, dimensions: true });
/** A hash is useless to a model. */
const Item = ItemPage.shape.data.element.omit({ content_hash: true });
const Listed = z.object({
  collections: z.array(CollectionAnswer),
  models: z.array(Model).optional(),
  items: z.array(Item).optional(),
  next_cursor: ItemPage.shape.next_cursor,
});
/** Without the points for its plots. */
const Gap = GapAnswer.omit({ projection: true, shift_curve: true, gap_dimensions: true });

/** `list`, `add` and `gap`. */
export function addCollectionTools(server: McpServer, parts: ToolParts): void {
  const { ask, files } = parts;

  addTool(server, parts, {
    name: "list",
    title: "List collections and items",
    description:
      "Without arguments: all collections with their contents, and the models. With a " +
      "collection: its items in pages, oldest first, with their metadata. Start here if you " +
      "do not know a collection's name.",
    input: z.strictObject({
      collection: z.string().min(1).optional().describe("List the items of this collection."),
      modality: Modality.optional().describe("Only items of this modality."),
      limit: z.int().min(1).max(100).default(20).describe("Items in a page."),
      after: z.string().min(1).optional().describe("next_cursor of the previous page."),
    }),
    output: Listed,
    annotations: { readOnlyHint: true, openWorldHint: false },
    async run({ collection, modality, limit, after }, signal) {
      if (collection === undefined) {
        const { data } = await askForJson<CollectionList>(ask, "/v1/collections", { signal });
        const models = await askForJson<ModelList>(ask, "/v1/models", { signal });
        const available = models.data.map((model) => Model.parse(model));
        return { structured: { collections: data, models: available } };
      }
      const query = new URLSearchParams({ limit: String(limit) });
      if (modality !== undefined) query.set("modality", modality);
      if (after !== undefined) query.set("after", after);
      const path = pathOf(collection);
      const details = await askForJson<CollectionAnswer>(ask, path, { signal });
      const page = await askForJson<ItemPage>(ask, `${path}/items?${query}`, { signal });
      const { next_cursor } = page;
      const items = page.data.map((item) => Item.parse(item));
      return { structured: { collections: [details], items, next_cursor } };
    },
  });

  addTool(server, parts, {
    name: "add",
    title: "Add an item",
    description:
      "Adds a text, picture or sound to a collection, so that search finds it. An item with the " +
      "same id is replaced. Give exactly one content.",
    input: z.strictObject({
      collection: z.string().min(1).describe("Name of the collection."),
      ...contentFields(files),
      id: z
        .string()
        .min(1)
        .optional()
        .describe("Name of the item in the collection. Default: a file's path, or a random one."),
      metadata: z
        .record(z.string(), z.unknown())
        .optional()
        .describe('Facts about it, for filters: {"year": 2021, "place": "Oslo"}.'),
      create: z.boolean().default(false).describe("Create the collection if it does not exist."),
      model: z
        .string()
        .min(1)
        .optional()
        .describe("With create: the model of its space; list names the models."),
    }),
    output: StoredItem.omit({ space: true }),
    annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
    async run({ collection, id, metadata, create, model, ...content }, signal) {
      if (model !== undefined && !create) {
        throw new ToolError('Expected "create" beside "model": a collection keeps its model');
      }
      const { modality, value, file } = await contentOf(content, files);
      if (create) {
        const body = { name: collection, model };
        await askForJson(ask, "/v1/collections", { body, signal }).catch((error) => {
          if (!(error instanceof ToolError) || error.code !== "already_exists") throw error;
        });
      }
      const item = { id: id ?? file?.name, [modality]: value, metadata, source: file?.path };
      const body = { items: [item] };
      const path = `${pathOf(collection)}/items`;
      const { statuses } = await askForJson<ItemStatuses>(ask, path, { body, signal });
      const [status] = statuses;
      if (status.status === "stored") return { structured: status };
      throw new ToolError(status.error.message, status.error.code);
    },
  });

  addTool(server, parts, {
    name: "gap",
    title: "Measure the modality gap",
    description:
      "Measures how far apart two modalities of a collection lie (the modality gap): the " +
      "distance " +
      "of their centroids, how well a line separates them and, where items are paired by a " +
      "metadata field, how often one finds its partner, as it is and after centring.",
    input: z.strictObject({
      collection: z.string().min(1).describe("Name of the collection."),
      a_modality: Modality.optional().describe("For a collection with more than two modalities."),
      b_modality: Modality.optional().describe("The other modality."),
      pair_by: z
        .string()
        .min(1)
        .optional()
        .describe("Metadata field whose equal values make a pair."),
    }),
    output: Gap,
    annotations: { readOnlyHint: true, openWorldHint: false },
    async run(body, signal) {
      const answer = await askForJson<GapAnswer>(ask, "/v1/modality-gap", { body, signal });
      const { projection: _, shift_curve: __, gap_dimensions: ___, ...structured } = answer;
      return { structured };
    },
  });
}
