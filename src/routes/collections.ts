import { Hono } from "hono";
import { z } from "zod";
import { AppError } from "../errors.js";
import type { CollectionSpec, CollectionStats } from "../index/vector-store.js";
import type { Packs, Services } from "../services.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

const NewCollection = z.strictObject({
  name: z.string(),
  model: z.string().optional(),
  space: z.string().min(1).optional(),
  dimensions: z.int().positive().optional(),
  fields: z.array(z.string()).default([]),
  /** Keep a thumbnail, waveform or beginning of each item: some 4 KB. */
  previews: z.boolean().default(true),
});

/** `/v1/collections`: create, list, look up, delete. */
export function collectionsRoutes({ store, packs }: Services) {
  return new Hono<RequestVariables>()
    .post("/v1/collections", async (c) => {
      const request = await readRequest(c, NewCollection);
      await store.createCollection(specOf(request, packs));
      return c.json(collectionAnswer(await store.stats(request.name)), 201);
    })
    .get("/v1/collections", async (c) => c.json({ data: (await store.listCollections()).map(collectionAnswer) }))
    .get("/v1/collections/:name", async (c) => c.json(collectionAnswer(await store.stats(c.req.param("name")))))
    .delete("/v1/collections/:name", async (c) => {
      const name = c.req.param("name");
      await store.dropCollection(name);
      return c.json({ name, deleted: true });
    });
}

/** The space is a model's (the first loaded one's by default), or the user's own with vectors from elsewhere. */
function specOf(request: z.infer<typeof NewCollection>, packs: Packs): CollectionSpec {
  const { name, model, space, dimensions, fields, previews } = request;
  if (space === undefined) {
    const pack = packs.find(model);
    if (dimensions !== undefined && dimensions !== pack.manifest.dimensions) {
      const message = `The model "${pack.manifest.id}" gives ${pack.manifest.dimensions} dimensions, not ${dimensions}`;
      throw new AppError("invalid_input", message, { param: "dimensions" });
    }
    const options = { model: pack.manifest.id, previews };
    return { name, space: pack.space, dimensions: pack.manifest.dimensions, fields, options };
  }
  if (model !== undefined) {
    const message = `Expected either "model" or "space" with "dimensions", for vectors of your own, but received both`;
    throw new AppError("invalid_input", message, { param: "space" });
  }
  if (dimensions === undefined) {
    throw new AppError("invalid_input", 'Expected "dimensions" beside "space"', { param: "dimensions" });
  }
  return { name, space, dimensions, fields, options: { previews } };
}

/** A collection as it goes over the wire. */
export function collectionAnswer(stats: CollectionStats) {
  const { name, space, dimensions, fields, options, createdAt, count, countByModality, index } = stats;
  return {
    name,
    model: options.model ?? null,
    space,
    dimensions,
    fields,
    previews: options.previews === true,
    created_at: createdAt,
    count,
    count_by_modality: countByModality,
    index,
  };
}
