import { Hono } from "hono";
import type { Packs } from "../encoders/packs.js";
import { invalidInput } from "../errors.js";
import { followedHead, isBeingBuilt } from "../heads/collection-head.js";
import { findPack } from "../heads/headed-pack.js";
import type { CollectionSpec, CollectionStats } from "../index/vector-store.js";
import type { Services } from "../services.js";
import {
  CollectionAnswer,
  CollectionChange,
  CollectionList,
  NewCollection,
} from "../wire/collections.js";
import { Deleted } from "../wire/common.js";
import { bodyErrors, describe, json, jsonOrForm, storeErrors } from "./describe.js";
import { readJson } from "./read-json.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

const tag = "Collections";
const operations = {
  create: describe({
    id: "createCollection",
    tag,
    summary: "Creates a collection in a model's space, or for vectors of your own",
    body: jsonOrForm(NewCollection),
    answers: { 201: { content: json(CollectionAnswer) } },
    errors: [...bodyErrors, ...storeErrors, "model_not_found", "already_exists", "space_mismatch"],
  }),
  list: describe({
    id: "listCollections",
    tag,
    summary: "All collections",
    answers: { 200: { content: json(CollectionList) } },
    errors: storeErrors,
  }),
  get: describe({
    id: "getCollection",
    tag,
    summary: "One collection",
    answers: { 200: { content: json(CollectionAnswer) } },
    errors: storeErrors,
  }),
  change: describe({
    id: "changeCollection",
    tag,
    summary: "Replaces the list of indexed metadata fields, or keeps media from now on",
    body: json(CollectionChange),
    answers: { 200: { content: json(CollectionAnswer) } },
    errors: [...bodyErrors, ...storeErrors],
  }),
  delete: describe({
    id: "deleteCollection",
    tag,
    summary: "Removes a collection with its items",
    answers: { 200: { content: json(Deleted) } },
    errors: storeErrors,
  }),
};

/** `/v1/collections`: create, list, look up, change, delete. */
export function collectionsRoutes(services: Services) {
  const { store, heads, packs } = services;
  const collectionAnswer = (stats: CollectionStats) => answerFor(stats, packs);
  return new Hono<RequestVariables>()
    .post("/v1/collections", operations.create, async (c) => {
      const request = await readRequest(c, NewCollection);
      const spec = await specOf(request, services);
      const followed = followedHead(spec.options ?? {});
      await heads.whileKept(followed, () => store.createCollection(spec));
      if (followed !== undefined && heads.get(followed.name).activeVersion !== followed.version) {
        // Another version was activated meanwhile, before the collection existed to be
        // re-projected.
        await heads.catchUp(followed.name);
      }
      return c.json(collectionAnswer(await store.stats(request.name)), 201);
    })
    .get("/v1/collections", operations.list, async (c) => {
      const collections = await store.listCollections();
      return c.json({
        data: collections.filter((one) => !isBeingBuilt(one)).map(collectionAnswer),
      } satisfies CollectionList);
    })
    .get("/v1/collections/:name", operations.get, async (c) =>
      c.json(collectionAnswer(await store.stats(c.req.param("name")))),
    )
    .patch("/v1/collections/:name", operations.change, async (c) => {
      const name = c.req.param("name");
      const { fields, keep_media: keepMedia } = await readJson(c, CollectionChange);
      if (fields === undefined && keepMedia === undefined)
        throw invalidInput("fields", 'Expected "fields" or "keep_media"');
      if (fields !== undefined) await store.setFields(name, fields);
      if (keepMedia !== undefined) await store.setOptions(name, { keepMedia });
      return c.json(collectionAnswer(await store.stats(name)));
    })
    .delete("/v1/collections/:name", operations.delete, async (c) => {
      const name = c.req.param("name");
      await store.dropCollection(name);
      return c.json({ name, deleted: true } satisfies Deleted);
    });
}

/**
 * The space is a model's (by default the first loaded one's), or a custom one for vectors from
 * elsewhere.
 */
export async function specOf(
  request: Partial<NewCollection> & Pick<NewCollection, "name" | "fields" | "previews">,
  services: Pick<Services, "packs" | "heads">,
): Promise<CollectionSpec> {
  const { name, model, head, space, dimensions, fields } = request;
  const kept = { previews: request.previews, keepMedia: request.keep_media === true };
  if (space === undefined) {
    const { pack, head: version } = await findPack(services, { model, head });
    if (version !== undefined && version.kind !== "projection") {
      const message = `The head "${head}" is a ${version.kind}, which gives no embeddings`;
      throw invalidInput("head", message);
    }
    if (dimensions !== undefined && dimensions !== pack.manifest.dimensions) {
      const message =
        `A collection of the model "${pack.manifest.id}" has ${pack.manifest.dimensions} ` +
        `dimensions, not ${dimensions}; for shorter embeddings of your own, give "space" instead ` +
        'of "model"';
      throw invalidInput("dimensions", message);
    }
    const followed = version && { head: { name: version.name, version: version.version } };
    const options = { model: pack.manifest.id, ...kept, ...followed };
    return { name, space: pack.space, dimensions: pack.manifest.dimensions, fields, options };
  }
  if (model !== undefined || head !== undefined) {
    const message =
      'Expected either "model" or "space" with "dimensions", for vectors of your own, but ' +
      "received both";
    throw invalidInput("space", message);
  }
  if (dimensions === undefined) {
    throw invalidInput("dimensions", 'Expected "dimensions" beside "space"');
  }
  return { name, space, dimensions, fields, options: kept };
}

/** A collection on the wire. */
function answerFor(stats: CollectionStats, packs: Packs): CollectionAnswer {
  const { name, space, dimensions, fields, options, aliases, createdAt, count } = stats;
  const { countByModality, index } = stats;
  const model = options.model as string | undefined;
  // The space of a collection that follows a head is the head's.
  const isLoaded = packs
    .list()
    .some(
      (pack) =>
        pack.manifest.id === model && (pack.space === space || followedHead(options) !== undefined),
    );
  return {
    name,
    model: model ?? null,
    model_loaded: model === undefined ? null : isLoaded,
    head: followedHead(options) ?? null,
    space,
    dimensions,
    fields,
    previews: options.previews === true,
    keep_media: options.keepMedia === true,
    aliases,
    created_at: createdAt,
    count,
    count_by_modality: countByModality,
    index,
  };
}
