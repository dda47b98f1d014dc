import { Hono } from "hono";
import type { Services } from "../services.js";
import { ExportedItem, ExportQuery } from "../wire/items.js";
import { parseWith } from "../wire/parse-with.js";
import { describe, storeErrors } from "./describe.js";
import { exportLine } from "./item-answer.js";
import { ndjsonType } from "./ndjson.js";
import type { RequestVariables } from "./request-context.js";
import { streamAnswer } from "./stream-answer.js";
import { StreamGuard } from "./stream-guard.js";

const exportOperation = describe({
  id: "exportItems",
  tag: "Items",
  summary: "Every item as a line that can be added again",
  description: "A stream that fails is cut, not ended: it is incomplete.",
  query: ExportQuery,
  answers: { 200: { content: { [ndjsonType]: ExportedItem } } },
  errors: storeErrors,
});

/**
 * Items read and serialized at once: a few milliseconds of the event loop at 512 dimensions.
 */
const itemsAtOnce = 25;

/**
 * `GET /v1/collections/{name}/export`: every item as a line that can be added again, at the pace of
 * the reader. A stream that fails is cut, not ended: it is incomplete. So it is when the collection
 * is replaced by one of another head.
 */
export function exportRoute({ store, keptMedia, config, log, stopping }: Services) {
  return new Hono<RequestVariables>().get(
    "/v1/collections/:name/export",
    exportOperation,
    async (c) => {
      const name = c.req.param("name");
      const { encoding_format: format, media } = parseWith(ExportQuery, c.req.query());
      const withMedia = media === "true";
      const { space } = await store.stats(name);
      const guard = new StreamGuard({
        client: c.req.raw.signal,
        stopping,
        idleMs: config.requestTimeoutMs,
      });
      const lines = async function* (): AsyncGenerator<string> {
        for (let after: string | undefined; ; ) {
          guard.ending.throwIfAborted();
          const page = await guard.during(store.page(name, { limit: itemsAtOnce, after, space }));
          if (withMedia)
            for (const item of page.items) {
              const kept = item.media && (await guard.during(keptMedia.read(item.media)));
              yield `${exportLine(item, { space, format, media: kept })}\n`;
            }
          else if (page.items.length > 0)
            yield page.items.map((item) => `${exportLine(item, { space, format })}\n`).join("");
          if (page.nextCursor === undefined) return;
          after = page.nextCursor;
        }
      };
      const headers = {
        "content-type": ndjsonType,
        "content-disposition": `attachment; filename="${name}.ndjson"`,
      };
      return streamAnswer(c, lines(), { guard, log, headers, aheadBytes: 2 ** 16 });
    },
  );
}
