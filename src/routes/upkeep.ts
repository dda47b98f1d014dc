import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import type { Services } from "../services.js";
import { Compacted } from "../wire/server.js";
import { binary, describe, json, storeErrors } from "./describe.js";
import type { RequestVariables } from "./request-context.js";
import { streamAnswer } from "./stream-answer.js";
import { StreamGuard } from "./stream-guard.js";

const chunkBytes = 2 ** 18;
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
export function upkeepRoutes({ store, config, log, stopping }: Services) {
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
      try {
        await guard.during(store.backup(file));
        const handle = await open(file);
        const close = () => void handle.close().catch(() => undefined);
        guard.gone.addEventListener("abort", close, { once: true });
        if (guard.gone.aborted) close(); // while the copy was made
        guard.gone.throwIfAborted();
        const { size } = await handle.stat();
        const withLength = { ...backupHeaders, "content-length": String(size) };
        const options = { guard, log, headers: withLength, aheadBytes: 0 };
        return streamAnswer(c, contentsOf(handle, size, guard), options);
      } catch (error) {
        guard.end();
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

/**
 * A file of `size` bytes. It is closed before its end is passed on: once read, it is gone.
 */
async function* contentsOf(
  handle: FileHandle,
  size: number,
  guard: StreamGuard,
): AsyncGenerator<Uint8Array> {
  try {
    for (let left = size; left > 0; ) {
      guard.ending.throwIfAborted();
      const chunk = new Uint8Array(Math.min(chunkBytes, left));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) throw new Error("A backup became shorter while it was read");
      left -= bytesRead;
      if (left === 0) await handle.close();
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close().catch(() => undefined);
  }
}
