import { Hono } from "hono";
import type { MediaAddresses } from "../access/media-addresses.js";
import { AppError, invalidInput } from "../errors.js";
import type { Failure, ItemPatch, ItemPatched, JsonObject, ListMembers } from "../index/item.js";
import type { Services } from "../services.js";
import { requestFilter } from "../wire/filter-field.js";
import { ItemAnswer, ItemsPatched, PatchBody, PatchManyBody } from "../wire/items.js";
import { bodyErrors, describe, json, storeErrors } from "./describe.js";
import { errorBody } from "./error-response.js";
import { itemAnswer } from "./item-answer.js";
import { readJson } from "./read-json.js";
import type { RequestVariables } from "./request-context.js";

const tag = "Items";
const operations = {
  patch: describe({
    id: "patchItem",
    tag,
    summary: "Changes only an item's metadata",
    description:
      "Merged into the item's metadata (RFC 7396: null removes a key); with replace it replaces " +
      "them. Then the members in remove leave lists, and those in add join them: two programs " +
      "that tag the same item at once lose nothing of each other's. " +
      "Nothing is embedded again.",
    body: json(PatchBody),
    answers: { 200: { content: json(ItemAnswer) } },
    errors: [...bodyErrors, ...storeErrors],
  }),
  patchMany: describe({
    id: "patchItems",
    tag,
    summary: "Changes the metadata of items by ids or a filter, or individually",
    description:
      "Exactly one of ids, filter and items; with ids or a filter, the change is given once.",
    body: json(PatchManyBody),
    answers: { 200: { content: json(ItemsPatched) } },
    errors: [...bodyErrors, ...storeErrors],
  }),
};

/**
 * `PATCH /v1/collections/{name}/items` and `…/items/{id}`: metadata change without their vectors.
 */
export function patchItemsRoutes({ store }: Services, addresses: MediaAddresses) {
  const base = "/v1/collections/:name/items";
  return new Hono<RequestVariables>()
    .patch(base, operations.patchMany, async (c) => {
      const name = c.req.param("name");
      const { ids, filter, items, ...change } = await readJson(c, PatchManyBody);
      const present = Object.entries({ ids, filter, items }).filter(
        ([, value]) => value !== undefined,
      );
      if (present.length !== 1)
        throw invalidInput(present[1]?.[0] ?? "ids", 'Expected one of "ids", "filter" and "items"');
      const { metadata, add, remove, replace } = change;
      const common = Object.entries({ metadata, add, remove }).find(
        ([, value]) => value !== undefined,
      );
      if ((common === undefined) !== (items !== undefined)) {
        const message = 'Expected the change beside "ids" or "filter", or in each of "items"';
        throw invalidInput(common?.[0] ?? "metadata", message);
      }
      if (filter !== undefined) {
        const outcome = await store.patchWhere(name, requestFilter(filter), patchOf(change));
        const { failed, moreFailed, ...counts } = outcome;
        return c.json({
          ...counts,
          missing: [],
          failed: failed.map(failedAnswer),
          ...(moreFailed > 0 && { more_failed: moreFailed }),
        } satisfies ItemsPatched);
      }
      const patches: ItemPatch[] =
        items?.map(({ id, ...own }) => ({ id, ...patchOf({ ...own, replace }) })) ??
        ids!.map((id) => ({ id, ...patchOf(change) }));
      const answer = patchedAnswer(await store.patch(name, patches));
      const { unchanged_ids: _, ...counts } = answer;
      return c.json(items === undefined ? counts : answer);
    })
    .patch(`${base}/:id`, operations.patch, async (c) => {
      const { name, id } = c.req.param();
      const change = await readJson(c, PatchBody);
      const [patched] = await store.patch(name, [{ id, ...patchOf(change) }]);
      if (patched.status === "failed") {
        const { code, message, param } = patched.error;
        throw new AppError(code, message, { param });
      }
      const [item] = await store.get(name, [id]);
      if (item === undefined) {
        const message = `There is no item "${id}" in the collection "${name}"`;
        throw new AppError("not_found", message, { param: "id" });
      }
      return c.json(itemAnswer(item, addresses.of(name, item)));
    });
}

/** The store checks what the fields hold. */
const patchOf = ({ metadata, replace, add, remove }: PatchBody): Omit<ItemPatch, "id"> => ({
  metadata: metadata as JsonObject | undefined,
  replace,
  add: add as ListMembers | undefined,
  remove: remove as ListMembers | undefined,
});

function patchedAnswer(patched: readonly ItemPatched[]): ItemsPatched {
  const count = (status: ItemPatched["status"]) =>
    patched.filter((one) => one.status === status).length;
  return {
    updated: count("updated"),
    unchanged: count("unchanged"),
    unchanged_ids: patched.flatMap(({ id, status }) => (status === "unchanged" ? [id] : [])),
    missing: patched.flatMap(({ id, status }) => (status === "missing" ? [id] : [])),
    failed: patched.flatMap((one) => (one.status === "failed" ? [failedAnswer(one)] : [])),
  };
}

function failedAnswer({ id, error }: { id: string; error: Failure }): ItemsPatched["failed"][0] {
  const { code, message, param } = error;
  return { id, error: errorBody(new AppError(code, message, { param })) };
}
