import { Hono } from "hono";
import { AppError, invalidInput } from "../errors.js";
import { parseJson } from "../json/parse-json.js";
import type { Services } from "../services.js";
import { requestFilter } from "../wire/filter-field.js";
import {
  DeleteBody,
  HashesBody,
  type ItemDeleted,
  type ItemHashes,
  type ItemPage,
  ItemQuery,
  type ItemsDeleted,
  ListQuery,
} from "../wire/items.js";
import { itemAnswer } from "./item-answer.js";
import { parseWith } from "./parse-with.js";
import { readRequest } from "./read-request.js";
import type { RequestVariables } from "./request-context.js";

/** `/v1/collections/{name}/items`: list, look up, delete; what is known of files that might be added again. */
export function itemsRoutes({ store }: Services) {
  const base = "/v1/collections/:name/items";
  return new Hono<RequestVariables>()
    .get(base, async (c) => {
      const { filter, include: included, ...query } = parseWith(ListQuery, c.req.query());
      const options = {
        ...query,
        filter: filter === undefined ? undefined : requestFilter(parseJson(filter, "filter")),
      };
      const { items, nextCursor } = await store.page(c.req.param("name"), options);
      return c.json({
        data: items.map((item) => itemAnswer(item, included)),
        next_cursor: nextCursor,
      } satisfies ItemPage);
    })
    .post(`${base}/delete`, async (c) => {
      const { ids, filter } = await readRequest(c, DeleteBody);
      if ((ids === undefined) === (filter === undefined)) {
        throw invalidInput("ids", 'Expected either "ids" or "filter"');
      }
      const what = ids === undefined ? { filter: requestFilter(filter) } : { ids };
      return c.json({
        deleted: await store.delete(c.req.param("name"), what),
      } satisfies ItemsDeleted);
    })
    .post(`${base}/hashes`, async (c) => {
      const { ids } = await readRequest(c, HashesBody);
      return c.json({
        hashes: Object.fromEntries(await store.contentHashes(c.req.param("name"), ids)),
      } satisfies ItemHashes);
    })
    .get(`${base}/:id`, async (c) => {
      const { name, id } = c.req.param();
      const { include: included } = parseWith(ItemQuery, c.req.query());
      const [item] = await store.get(name, [id]);
      if (item === undefined) throw noItem(name, id);
      return c.json(itemAnswer(item, included));
    })
    .delete(`${base}/:id`, async (c) => {
      const { name, id } = c.req.param();
      if ((await store.delete(name, { ids: [id] })) === 0) throw noItem(name, id);
      return c.json({ id, deleted: true } satisfies ItemDeleted);
    })
    .get(`${base}/:id/preview`, async (c) => {
      const { name, id } = c.req.param();
      const preview = await store.preview(name, id);
      if (preview === undefined) {
        const message = `There is no preview of an item "${id}" in the collection "${name}"`;
        throw new AppError("not_found", message, { param: "id" });
      }
      // What is served here was made by this server from a stranger's file; nothing in it may run as a page.
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
