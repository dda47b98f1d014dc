import { Hono } from "hono";
import type { CollectionMap } from "../collections/collection-maps.js";
import type { Services } from "../services.js";
import { MapAnswer, MapIds, MapIdsQuery, MapPointsQuery } from "../wire/maps.js";
import { parseWith } from "../wire/parse-with.js";
import { binary, describe, json, storeErrors } from "./describe.js";
import type { RequestVariables } from "./request-context.js";

const tag = "Collections";
const operations = {
  map: describe({
    id: "map",
    tag,
    summary: "A collection in the plane: its first two principal components",
    description: "Made anew when the count changes, or after a minute; its points come apart.",
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
  ids: describe({
    id: "mapIds",
    tag,
    summary: "Ids of a map's items, in the order of its points",
    query: MapIdsQuery,
    answers: { 200: { content: json(MapIds) } },
    errors: storeErrors,
  }),
};

/** `GET /v1/collections/{name}/map`, and its points and ids. */
export function mapRoutes({ maps }: Pick<Services, "maps">) {
  const base = "/v1/collections/:name/map";
  return new Hono<RequestVariables>()
    .get(base, operations.map, async (c) => {
      const { id, ids, total, explained, centroids } = await maps.of(c.req.param("name"));
      return c.json({
        map: id,
        count: ids.length,
        total,
        explained,
        centroids,
      } satisfies MapAnswer);
    })
    .get(`${base}/points`, operations.points, (c) => {
      const { map } = parseWith(MapPointsQuery, c.req.query());
      return c.body(bytesOf(maps.byId(map)), 200, { "content-type": "application/octet-stream" });
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
