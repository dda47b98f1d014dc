import { Hono } from "hono";
import type { MediaAddresses } from "../access/media-addresses.js";
import { invalidInput } from "../errors.js";
import type { StoredItem } from "../index/item.js";
import { maxArchiveItems, zipContents } from "../kept-media/media-archives.js";
import type { Services } from "../services.js";
import { MediaArchiveAnswer, MediaArchiveBody, MediaQuery } from "../wire/items.js";
import { parseWith } from "../wire/parse-with.js";
import { binary, bodyErrors, describe, json, storeErrors } from "./describe.js";
import { fileContents } from "./file-contents.js";
import { readJson } from "./read-json.js";
import type { RequestVariables } from "./request-context.js";
import { streamAnswer } from "./stream-answer.js";
import { StreamGuard } from "./stream-guard.js";

const zip = "application/zip";
const operations = {
  create: describe({
    id: "archiveMedia",
    tag: "Items",
    summary: "An address at which the kept media of some items are read as one zip file",
    description:
      "By ids or by a filter: exactly one of the two. The last eight can be read, and where keys " +
      "are needed an hour long.",
    body: json(MediaArchiveBody),
    answers: { 200: { content: json(MediaArchiveAnswer) } },
    errors: [...bodyErrors, ...storeErrors],
  }),
  read: describe({
    id: "mediaArchive",
    tag: "Items",
    summary: "The zip file of an archive",
    description: "Files are named after their items. A stream that fails is cut, not ended.",
    query: MediaQuery,
    answers: { 200: { content: binary(zip) } },
    errors: storeErrors,
  }),
};
const itemsAtOnce = 500;

/** `POST /v1/collections/{name}/media/archives`, and the zip file at the address it gives. */
export function mediaArchiveRoutes(services: Services, addresses: MediaAddresses) {
  const { keptMedia, mediaArchives: archives, config, log, stopping } = services;
  const base = "/v1/collections/:name/media/archives";
  return new Hono<RequestVariables>()
    .post(base, operations.create, async (c) => {
      const name = c.req.param("name");
      const chosen = await readJson(c, MediaArchiveBody);
      const archive = archives.create(name, await itemsOf(services, name, chosen));
      return c.json({
        url: addresses.ofArchive(name, archive.id),
        files: archive.entries.length,
        bytes: archive.bytes,
        without_media: archive.withoutMedia,
      } satisfies MediaArchiveAnswer);
    })
    .get(`${base}/:archive`, operations.read, (c) => {
      parseWith(MediaQuery, c.req.query());
      const { name, archive: id } = c.req.param();
      const archive = archives.get(name, id);
      const client = c.req.raw.signal;
      const guard = new StreamGuard({ client, stopping, idleMs: config.requestTimeoutMs });
      const contents = zipContents(archive, async function* (media) {
        const handle = await guard.during(keptMedia.open(media));
        yield* fileContents(handle, { length: media.bytes }, guard);
      });
      const headers = {
        "content-type": zip,
        "content-length": String(archive.bytes),
        "content-disposition": `attachment; filename="${name}.zip"`,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      };
      return streamAnswer(c, contents, { guard, log, headers, aheadBytes: 0 });
    });
}

async function itemsOf(
  { store }: Pick<Services, "store">,
  name: string,
  { ids, filter }: MediaArchiveBody,
): Promise<Pick<StoredItem, "id" | "media" | "addedAt">[]> {
  if ((ids === undefined) === (filter === undefined))
    throw invalidInput("ids", 'Expected either "ids" or "filter"');
  const found: Pick<StoredItem, "id" | "media" | "addedAt">[] = [];
  const keep = (items: readonly StoredItem[]) => {
    // Without their embeddings
    for (const { id, media, addedAt } of items) found.push({ id, media, addedAt });
    if (found.length > maxArchiveItems)
      throw invalidInput("filter", `Expected at most ${maxArchiveItems} items, and more match`);
  };
  if (ids !== undefined) {
    const distinct = [...new Set(ids)];
    for (let from = 0; from < distinct.length; from += itemsAtOnce)
      keep(await store.get(name, distinct.slice(from, from + itemsAtOnce)));
    return found;
  }
  for (let after: string | undefined; ; ) {
    const page = await store.page(name, { filter, limit: itemsAtOnce, after });
    keep(page.items);
    if (page.nextCursor === undefined) return found;
    after = page.nextCursor;
  }
}
