import { Hono } from "hono";
import type { CollectionMap } from "../collections/collection-maps.js";
import type { MapInput } from "../collections/map-job.js";
import { mapValues } from "../collections/map-values.js";
import { nameRegions } from "../collections/name-regions.js";
import type { Services } from "../services.js";
import { JobStarted } from "../wire/jobs.js";
import {
  LayOut,
  MapAnswer,
  MapIds,
  MapIdsQuery,
  MapNames,
  MapPointsQuery,
  MapQuery,
  MapValues,
  MapValuesQuery,
} from "../wire/maps.js";
import { parseWith } from "../wire/parse-with.js";
import { binary, bodyErrors, describe, inferenceErrors, json, storeErrors } from "./describe.js";
import { jobAnswer } from "./job-answer.js";
import { readJson } from "./read-json.js";
import type { RequestVariables } from "./request-context.js";

/** Short of what proxies wait. */
const maxNamingMs = 5000;

const tag = "Collections";
const operations = {
  map: describe({
    id: "map",
    tag,
    summary: "A collection in the plane, by principal components or UMAP",
    description:
      "Computed again when the count changes, or after a minute; its points are requested " +
      "separately. A UMAP layout is computed by a job (POST), and stale once items have changed.",
    query: MapQuery,
    answers: { 200: { content: json(MapAnswer) } },
    errors: storeErrors,
  }),
  points: describe({
    id: "mapPoints",
    tag,
    summary: "The points of a map",
    description:
      "count times x and y (float32, little-endian), then count times the modality " +
      "(a byte: 0 text, 1 image, 2 audio); oldest item first.",
    query: MapPointsQuery,
    answers: { 200: { content: binary("application/octet-stream") } },
    errors: storeErrors,
  }),
  names: describe({
    id: "mapNames",
    tag,
    summary: "Names of a map's dense regions",
    description:
      "The nearest everyday words. They are embedded once per space, which takes a large model a " +
      "minute or more: while progress is below 1 there are no names, and one asks again.",
    query: MapPointsQuery,
    answers: { 200: { content: json(MapNames) } },
    errors: [...storeErrors, ...inferenceErrors, "space_mismatch", "no_path"],
  }),
  layOut: describe({
    id: "layOutMap",
    tag,
    summary: "Lays a collection out by UMAP, as a job",
    description: "Of more than 20,000 items every second, third, … is laid out.",
    body: json(LayOut),
    answers: { 202: { content: json(JobStarted) } },
    errors: [...bodyErrors, ...storeErrors],
  }),
  values: describe({
    id: "mapValues",
    tag,
    summary: "The value of a metadata field for each point of a map",
    description: "Numbers where all are numbers with more than ten different values.",
    query: MapValuesQuery,
    answers: { 200: { content: json(MapValues) } },
    errors: storeErrors,
  }),
  ids: describe({
    id: "mapIds",
    tag,
    summary: "Ids of a map's items, in the order of its points",
    query: MapIdsQuery,
    answers: { 200: { content: json(MapIds) } },
    errors: storeErrors,
  }),
};

/** `/v1/collections/{name}/map`, and its points, ids, names and values. */
export function mapRoutes(services: Services) {
  const { maps, store, jobs } = services;
  const base = "/v1/collections/:name/map";
  return new Hono<RequestVariables>()
    .get(base, operations.map, async (c) => {
      const { method } = parseWith(MapQuery, c.req.query());
      const map = await maps.of(c.req.param("name"), method);
      const { id, ids, total, explained = null, isStale, centroids } = map;
      return c.json({
        map: id,
        count: ids.length,
        total,
        method,
        stale: isStale,
        explained,
        centroids,
      } satisfies MapAnswer);
    })
    .post(base, operations.layOut, async (c) => {
      const { seed, neighbors, min_dist } = await readJson(c, LayOut);
      const { name } = await store.stats(c.req.param("name"));
      const data: MapInput = { collection: name, seed, neighbors, minDistance: min_dist };
      const job = await jobs.create("map", { data });
      return c.json({ job: jobAnswer(job) } satisfies JobStarted, 202);
    })
    .get(`${base}/names`, operations.names, async (c) => {
      const { map } = parseWith(MapPointsQuery, c.req.query());
      const names = await nameRegions(services, maps.byId(map), maxNamingMs);
      return c.json(names satisfies MapNames);
    })
    .get(`${base}/points`, operations.points, (c) => {
      const { map } = parseWith(MapPointsQuery, c.req.query());
      return c.body(bytesOf(maps.byId(map)), 200, { "content-type": "application/octet-stream" });
    })
    .get(`${base}/values`, operations.values, async (c) => {
      const { map, field, values } = parseWith(MapValuesQuery, c.req.query());
      const options = { field, maxValues: values, signal: c.get("signal") };
      return c.json((await mapValues(store, maps.byId(map), options)) satisfies MapValues);
    })
    .get(`${base}/ids`, operations.ids, (c) => {
      const { map, offset, limit } = parseWith(MapIdsQuery, c.req.query());
      const ids = maps.byId(map).ids.slice(offset, offset + limit);
      return c.json({ ids } satisfies MapIds);
    });
}

function bytesOf({ points, modalities }: CollectionMap): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(points.byteLength + modalities.length);
  bytes.set(new Uint8Array(points.buffer, points.byteOffset, points.byteLength));
  bytes.set(modalities, points.byteLength);
  return bytes;
}
