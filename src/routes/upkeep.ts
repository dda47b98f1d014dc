import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { archiveBytes, writeArchive } from "../files/content-archive.js";
import type { ContentFile } from "../files/content-files.js";
import type { Services } from "../services.js";
import { Compacted } from "../wire/server.js";
import { binary, describe, json, storeErrors } from "./describe.js";
import { fileContents } from "./file-contents.js";
import type { RequestVariables } from "./request-context.js";
import { streamAnswer } from "./stream-answer.js";
import { StreamGuard } from "./stream-guard.js";

const backupHeaders = {
  "content-type": "application/octet-stream",
  "content-disposition": 'attachment; filename="crossmodal-backup.sqlite"',
};

const operations = {
  backup: describe({
    id: "backup",
    tag: "Server",
    summary: "All collections as one SQLite file",
    answers: { 200: { content: binary("application/octet-stream") } },
    errors: storeErrors,
  }),
  compact: describe({
    id: "compact",
    tag: "Server",
    summary: "Frees the disk space of deleted items and tidies the indexes",
    answers: { 200: { content: json(Compacted) } },
    errors: storeErrors,
  }),
};

/** `GET /v1/backup` and `POST /v1/compact`: operations on all collections at once. */
export function upkeepRoutes({ store, keptMedia, config, log, stopping }: Services) {
  return new Hono<RequestVariables>()
    .get("/v1/backup", operations.backup, async (c) => {
      if (c.req.method === "HEAD") return c.body(null, 200, backupHeaders); // no copy for a HEAD
      const guard = new StreamGuard({
        client: c.req.raw.signal,
        stopping,
        idleMs: config.requestTimeoutMs,
      });
      // In the data folder, whose disk must have room for it; services.ts empties `tmp` after a
      // crash.
      const file = join(config.dataDir, "tmp", `${randomBytes(6).toString("hex")}.sqlite`);
      // None is removed until the backup is sent: what it refers to goes with it.
      const paused = keptMedia.pauseRemoval();
      try {
        await guard.during(store.backup(file));
        const media: ContentFile[] = [];
        for await (const one of paused.files.list()) media.push(one);
        const handle = await open(file);
        const close = () => void handle.close().catch(() => undefined);
        guard.gone.addEventListener("abort", close, { once: true });
        if (guard.gone.aborted) close(); // while the copy was made
        guard.gone.throwIfAborted();
        const { size } = await handle.stat();
        const length = size + (media.length === 0 ? 0 : archiveBytes(media));
        const withLength = { ...backupHeaders, "content-length": String(length) };
        const contents = async function* () {
          try {
            yield* fileContents(handle, { length: size }, guard);
            if (media.length > 0) yield* writeArchive(paused.files, media);
          } finally {
            await paused.release();
          }
        };
        const options = { guard, log, headers: withLength, aheadBytes: 0 };
        return streamAnswer(c, contents(), options);
      } catch (error) {
        guard.end();
        await paused.release();
        throw error;
      } finally {
        await rm(file, { force: true }); // an open file stays readable until it is closed
      }
    })
    .post("/v1/compact", operations.compact, async (c) => {
      await store.compact();
      return c.json({ compacted: true } satisfies Compacted);
    });
}
