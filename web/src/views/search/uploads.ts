import { signal } from "@preact/signals";
import { ApiError, ConnectionError } from "../../../../src/client/client.js";
import { concernsOneItem } from "../../../../src/client/errors.js";
import { type FoundFile, mediaFiles, UnreadableFile } from "../../files.js";
import { modalityOf } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import { persistently } from "../../status.js";
import { refreshCollections } from "./collections.js";
import { showAdded } from "./feed.js";
import { mediaQuery, query } from "./query.js";

/** What is being added, and how far it is. */
export interface Upload {
  collection: string;
  total: number;
  stored: number;
  /** Stored before, from the same bytes. */
  unchanged: number;
  /** Neither pictures nor sounds nor texts. */
  leftOut: readonly string[];
  failed: readonly { path: string; sentence: string }[];
  warned: readonly { path: string; sentence: string }[];
  startedAt: number;
  state: "running" | "done" | "cancelled" | "stopped";
  /** Why no further file was sent. */
  sentence: string;
}

export const upload = signal<Upload>();

/** Concurrent files: the server batches what arrives together. */
const concurrency = 4;
const hashesAtOnce = 64;
const refreshMs = 3000;

let running = new AbortController();

export const cancelUpload = () => running.abort();

/** Adds files; those the collection already holds are skipped, so adding again continues. */
export async function addFiles(collection: string, found: readonly FoundFile[]): Promise<void> {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const files = mediaFiles(found);
  const current: Upload = {
    collection,
    total: files.length,
    stored: 0,
    unchanged: 0,
    leftOut: found.filter(({ file }) => modalityOf(file) === undefined).map(({ path }) => path),
    failed: [],
    warned: [],
    startedAt: performance.now(),
    state: "running",
    sentence: "",
  };
  const update = (change: Partial<Upload>) => {
    Object.assign(current, change);
    if (running.signal === signal) upload.value = { ...current };
  };
  update({});
  addEventListener("beforeunload", askBeforeLeaving);
  const refresh = setInterval(() => {
    // Sending a picture or sound again and again is left out: its results are complete at the end.
    if (mediaQuery.peek() === undefined) void show(collection);
  }, refreshMs);
  try {
    const pending = unstored(collection, files, signal, (unchanged) =>
      update({ unchanged: current.unchanged + unchanged }),
    );
    const work = async () => {
      for (;;) {
        const { value, done } = await pending.next();
        if (done || signal.aborted) return;
        const { path, file } = value.found;
        if (file.size === 0) {
          update({ failed: [...current.failed, { path, sentence: "The file is empty" }] });
          continue;
        }
        try {
          const { warnings } = await persistently(() => add(collection, value, signal), { signal });
          const warned = (warnings ?? []).map((sentence) => ({ path, sentence }));
          update({ stored: current.stored + 1, warned: [...current.warned, ...warned] });
        } catch (error) {
          if (!concernsOneFile(error)) throw error;
          update({ failed: [...current.failed, { path, sentence: sentenceOf(error) }] });
        }
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    update({ state: signal.aborted ? "cancelled" : "done" });
  } catch (error) {
    running.abort();
    update({ state: signal.aborted && isAbort(error) ? "cancelled" : "stopped" });
    upload.value = { ...current, sentence: isAbort(error) ? "" : sentenceOf(error) };
  } finally {
    clearInterval(refresh);
    removeEventListener("beforeunload", askBeforeLeaving);
    await show(collection);
  }
}

/** The browser asks: only this page knows the remaining files. */
const askBeforeLeaving = (event: BeforeUnloadEvent) => event.preventDefault();

async function show(collection: string): Promise<void> {
  await refreshCollections();
  if (query.peek().collection === collection) await showAdded();
}

interface Pending {
  found: FoundFile;
  hash: string | undefined;
}

/** The files that the collection does not hold from the same bytes, a group at a time. */
async function* unstored(
  collection: string,
  files: readonly FoundFile[],
  signal: AbortSignal,
  onUnchanged: (count: number) => void,
): AsyncGenerator<Pending> {
  for (let at = 0; at < files.length; at += hashesAtOnce) {
    signal.throwIfAborted();
    const group = files.slice(at, at + hashesAtOnce);
    const ids = group.map(({ path }) => path);
    const { hashes } = await persistently(
      () => server.peek().itemHashes(collection, ids, { signal }),
      { signal },
    );
    for (const found of group) {
      const stored = Object.hasOwn(hashes, found.path) ? hashes[found.path] : undefined;
      const hash = await hashOf(found.file);
      if (stored !== undefined && stored === hash) onUnchanged(1);
      else yield { found, hash };
    }
  }
}

async function add(
  collection: string,
  { found: { file, path }, hash }: Pending,
  signal: AbortSignal,
) {
  const modality = modalityOf(file)!;
  const content = modality === "text" ? await file.text() : file;
  const item = { id: path, [modality]: content, content_hash: hash };
  return server.peek().addItem(collection, item, { signal, maxRetries: 8 });
}

/** Larger files are sent without a hash: a browser can only hash what it holds in memory. */
const maxHashedBytes = 64e6;

/** SHA-256 in hex; undefined where the browser has none (pages by http from another machine). */
async function hashOf(file: File): Promise<string | undefined> {
  if (crypto.subtle === undefined || file.size > maxHashedBytes) return undefined;
  const bytes = await file.arrayBuffer().catch(() => undefined);
  if (bytes === undefined) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Any other error would also fail the next file. */
function concernsOneFile(error: unknown): boolean {
  if (error instanceof DOMException)
    return error.name === "NotReadableError" || error.name === "NotFoundError";
  if (error instanceof ConnectionError) return error.cause instanceof UnreadableFile;
  if (!(error instanceof ApiError) || error.code === undefined) return false;
  return concernsOneItem(error.code);
}

const isAbort = (error: unknown) => error instanceof DOMException && error.name === "AbortError";
