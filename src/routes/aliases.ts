import { Hono } from "hono";
import type { Services } from "../services.js";
import { AliasAnswer, AliasBody, AliasList } from "../wire/collections.js";
import { Deleted } from "../wire/common.js";
import { bodyErrors, describe, json, storeErrors } from "./describe.js";
import { readJson } from "./read-json.js";
import type { RequestVariables } from "./request-context.js";

const tag = "Collections";
const operations = {
  list: describe({
    id: "listAliases",
    tag,
    summary: "All aliases of collections",
    answers: { 200: { content: json(AliasList) } },
    errors: storeErrors,
  }),
  put: describe({
    id: "putAlias",
    tag,
    summary: "Creates an alias of a collection, or atomically points one to another collection",
    description: "An alias can be used instead of a collection's name, except to delete it.",
    body: json(AliasBody),
    answers: { 200: { content: json(AliasAnswer) } },
    errors: [...bodyErrors, ...storeErrors, "already_exists"],
  }),
  delete: describe({
    id: "deleteAlias",
    tag,
    summary: "Removes an alias; the collection stays",
    answers: { 200: { content: json(Deleted) } },
    errors: storeErrors,
  }),
};

/** `/v1/aliases`: further names of collections, moved atomically. */
export function aliasesRoutes({ store }: Services) {
  return new Hono<RequestVariables>()
    .get("/v1/aliases", operations.list, async (c) => {
      const collections = await store.listCollections();
      const data = collections.flatMap(({ name, aliases }) =>
        aliases.map((alias) => ({ alias, collection: name })),
      );
      data.sort((one, other) => (one.alias < other.alias ? -1 : 1));
      return c.json({ data } satisfies AliasList);
    })
    .put("/v1/aliases/:alias", operations.put, async (c) => {
      const alias = c.req.param("alias");
      const { collection } = await readJson(c, AliasBody);
      await store.setAlias(alias, collection);
      return c.json({ alias, collection: await store.resolve(alias) } satisfies AliasAnswer);
    })
    .delete("/v1/aliases/:alias", operations.delete, async (c) => {
      const alias = c.req.param("alias");
      await store.removeAlias(alias);
      return c.json({ name: alias, deleted: true } satisfies Deleted);
    });
}
