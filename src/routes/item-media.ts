import { Hono } from "hono";
import { AppError } from "../errors.js";
import type { StoredItem } from "../index/item.js";
import { mediaTypes } from "../media/media-type.js";
import type { Services } from "../services.js";
import { MediaQuery } from "../wire/items.js";
import { isHeld, rangeOf } from "./byte-range.js";
import { binary, describe, storeErrors } from "./describe.js";
import { fileContents } from "./file-contents.js";
import type { RequestVariables } from "./request-context.js";
import { streamAnswer } from "./stream-answer.js";
import { StreamGuard } from "./stream-guard.js";

const operation = describe({
  id: "itemMedia",
  tag: "Items",
  summary: "The picture or sound that an item was made from, where its collection keeps media",
  description:
    "With Range a part of it (206). An item's media_url leads here; where keys are needed it is " +
    "signed and needs none for an hour.",
  query: MediaQuery,
  answers: {
    200: { content: binary(...mediaTypes) },
    206: { description: "The range asked for", content: binary(...mediaTypes) },
    304: { description: "It is the one of If-None-Match" },
  },
  errors: [...storeErrors, "range_not_satisfiable"],
});

/** `GET /v1/collections/{name}/items/{id}/media`. */
export function itemMediaRoute({ store, keptMedia, config, log, stopping }: Services) {
  return new Hono<RequestVariables>().get(
    "/v1/collections/:name/items/:id/media",
    operation,
    async (c) => {
      const { name, id } = c.req.param();
      const [item] = await store.get(name, [id]);
      const { media } = item ?? {};
      if (media === undefined) {
        const message = `No media of an item "${id}" is kept in the collection "${name}"`;
        throw new AppError("not_found", message, { param: "id" });
      }
      const etag = `"${media.sha256}"`;
      const headers = {
        "content-type": media.mediaType,
        "content-disposition": dispositionOf(item),
        etag,
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache", // asked about each time: an item may be replaced
        // An untrusted file: nothing in it may run as a page, or be readable by another page.
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        ...(config.corsOrigins.length === 0 && { "cross-origin-resource-policy": "same-origin" }),
      };
      if (isHeld(c.req.header("if-none-match"), etag))
        return c.body(null, 304, { etag, "cache-control": headers["cache-control"] });
      c.header("Content-Range", `bytes */${media.bytes}`); // of a refusal
      const rangeHeaders = { range: c.req.header("range"), ifRange: c.req.header("if-range") };
      const range = rangeOf(rangeHeaders, { size: media.bytes, etag });
      c.header("Content-Range", range && `bytes ${range.start}-${range.end}/${media.bytes}`);
      const { start, end } = range ?? { start: 0, end: media.bytes - 1 };
      const length = end - start + 1;
      const sized = { ...headers, "content-length": String(length) };
      const status = range === undefined ? 200 : 206;
      if (c.req.method === "HEAD") return c.body(null, status, sized);
      const handle = await keptMedia.open(media);
      const client = c.req.raw.signal;
      const guard = new StreamGuard({ client, stopping, idleMs: config.requestTimeoutMs });
      const close = () => void handle.close().catch(() => undefined);
      guard.gone.addEventListener("abort", close, { once: true });
      if (guard.gone.aborted) close();
      const contents = fileContents(handle, { start, length }, guard);
      return streamAnswer(c, contents, { guard, log, headers: sized, status, aheadBytes: 0 });
    },
  );
}

/** Shown where it is opened, and saved under the name that it came with. */
function dispositionOf({ id, source }: Pick<StoredItem, "id" | "source">): string {
  const name =
    (source ?? id)
      .split(/[\\/]/)
      .pop()
      ?.replace(/\p{Surrogate}/gu, "_") || "media";
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${hex(sign)}`);
  return `inline; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

const hex = (sign: string) => sign.charCodeAt(0).toString(16).toUpperCase();
