import { Hono } from "hono";
import type { MediaAddresses } from "../access/media-addresses.js";
import { AppError, invalidInput } from "../errors.js";
import { parseJson } from "../json/parse-json.js";
import type { Services } from "../services.js";
import { requestFilter } from "../wire/filter-field.js";
import {
  DeleteBody,
  HashesBody,
  ItemAnswer,
  ItemDeleted,
  ItemHashes,
  ItemPage,
  ItemQuery,
  ItemsDeleted,
  ListQuery,
} from "../wire/items.js";
import { parseWith } from "../wire/parse-with.js";
import { binary, bodyErrors, describe, json, jsonOrForm, storeErrors, text } from "./describe.js";
import { itemAnswer } from "./item-answer.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

const tag = "Items";
const operations = {
  list: describe({
    id: "listItems",
    tag,
    summary: "Items of a collection in pages: the oldest first, the newest first, or by id",
    query: ListQuery,
    answers: { 200: { content: json(ItemPage) } },
    errors: storeErrors,
  }),
  deleteMany: describe({
    id: "deleteItems",
    tag,
    summary: "Deletes items by their ids or by a filter: exactly one of the two",
    body: jsonOrForm(DeleteBody),
    answers: { 200: { content: json(ItemsDeleted) } },
    errors: [...bodyErrors, ...storeErrors],
  }),
  hashes: describe({
    id: "itemHashes",
    tag,
    summary: "Content hashes of the items that exist and have one",
    body: jsonOrForm(HashesBody),
    answers: { 200: { content: json(ItemHashes) } },
    errors: [...bodyErrors, ...storeErrors],
  }),
  get: describe({
    id: "getItem",
    tag,
    summary: "One item",
    query: ItemQuery,
    answers: { 200: { content: json(ItemAnswer) } },
    errors: storeErrors,
  }),
  delete: describe({
    id: "deleteItem",
    tag,
    summary: "Deletes one item",
    answers: { 200: { content: json(ItemDeleted) } },
    errors: storeErrors,
  }),
  preview: describe({
    id: "itemPreview",
    tag,
    summary: "A thumbnail, waveform or beginning of an item; 404 when there is none",
    answers: {
      200: { content: { ...binary("image/webp"), ...text("image/svg+xml", "text/plain") } },
    },
    errors: storeErrors,
  }),
};

/**
 * `/v1/collections/{name}/items`: list, look up, delete; content hashes.
 */
export function itemsRoutes({ store }: Services, addresses: MediaAddresses) {
  const base = "/v1/collections/:name/items";
  return new Hono<RequestVariables>()
    .get(base, operations.list, async (c) => {
      const { filter, include: included, ...query } = parseWith(ListQuery, c.req.query());
      const options = {
        ...query,
        filter: filter === undefined ? undefined : requestFilter(parseJson(filter, "filter")),
      };
      const name = c.req.param("name");
      const { items, nextCursor } = await store.page(name, options);
      return c.json({
        data: items.map((item) => itemAnswer(item, addresses.of(name, item), included)),
        next_cursor: nextCursor,
      } satisfies ItemPage);
    })
    .post(`${base}/delete`, operations.deleteMany, async (c) => {
      const { ids, filter } = await readRequest(c, DeleteBody);
      if ((ids === undefined) === (filter === undefined)) {
        throw invalidInput("ids", 'Expected either "ids" or "filter"');
      }
      const selection = ids === undefined ? { filter: requestFilter(filter) } : { ids };
      return c.json({
        deleted: await store.delete(c.req.param("name"), selection),
      } satisfies ItemsDeleted);
    })
    .post(`${base}/hashes`, operations.hashes, async (c) => {
      const { ids } = await readRequest(c, HashesBody);
      return c.json({
        hashes: Object.fromEntries(await store.contentHashes(c.req.param("name"), ids)),
      } satisfies ItemHashes);
    })
    .get(`${base}/:id`, operations.get, async (c) => {
      const { name, id } = c.req.param();
      const { include: included } = parseWith(ItemQuery, c.req.query());
      const [item] = await store.get(name, [id]);
      if (item === undefined) throw noItem(name, id);
      return c.json(itemAnswer(item, addresses.of(name, item), included));
    })
    .delete(`${base}/:id`, operations.delete, async (c) => {
      const { name, id } = c.req.param();
      if ((await store.delete(name, { ids: [id] })) === 0) throw noItem(name, id);
      return c.json({ id, deleted: true } satisfies ItemDeleted);
    })
    .get(`${base}/:id/preview`, operations.preview, async (c) => {
      const { name, id } = c.req.param();
      const preview = await store.preview(name, id);
      if (preview === undefined) {
        const message = `There is no preview of an item "${id}" in the collection "${name}"`;
        throw new AppError("not_found", message, { param: "id" });
      }
      // Previews are made from untrusted files; nothing in them may run as a page.
      const headers = {
        "content-type": preview.mediaType,
        "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        "x-content-type-options": "nosniff",
      };
      return c.body(Uint8Array.from(preview.bytes), 200, headers);
    });
}

function noItem(name: string, id: string): AppError {
  return new AppError("not_found", `There is no item "${id}" in the collection "${name}"`, {
    param: "id",
  });
}
