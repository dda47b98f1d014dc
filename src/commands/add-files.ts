import { ApiError, concernsOneItem } from "../client/errors.js";
import type { LineStatus } from "../wire/items.js";
import {
  type Candidate,
  findCandidates,
  idsPerQuestion,
  maxLineFileBytes,
  readAheadOf,
  withStoredHashes,
} from "./file-candidates.js";
import { BadFile, type FileItem, type FileItemOptions, type LeftOut } from "./file-item.js";
import { sendItems } from "./send-items.js";
import { CommandError, type Target } from "./target.js";
import { walkFiles } from "./walk-files.js";

/** The outcome for a file. */
export type FileStatus = { id: string; path: string } & (
  | { status: "stored"; replaced?: boolean; warnings?: readonly string[] }
  /** Stored before, from the same bytes. */
  | { status: "unchanged" }
  /** The same file, with changed metadata. */
  | { status: "updated" }
  /** Its file is gone: with --prune. */
  | { status: "removed" }
  /** Found in a folder and skipped. */
  | ({ status: "left_out" } & LeftOut)
  | { status: "failed"; error: { code?: string; message: string } }
);

export interface AddFilesOptions extends FileItemOptions {
  recursive: boolean;
  followLinks?: boolean;
  /** Prefix of the ids: each is this and the file's name. */
  idPrefix: string;
  /** Reports what would happen to each file, without sending any. */
  dryRun?: boolean;
  /** No further file is sent after it aborts. */
  signal: AbortSignal;
  onStatus: (status: FileStatus) => Promise<void>;
}

/** The server's status for a file, from a line or a separate answer. */
type SentStatus =
  | Exclude<LineStatus, { status: "failed" }>
  | { status: "failed"; error: { code: string; message: string } };

type FileMetadata = NonNullable<FileItem["metadata"]>;

/**
 * Adds the pictures and sounds under `roots` to a collection, skipping those that it holds already:
 * run again after an interruption, it continues. `onStatus` is called for every file.
 * @throws CommandError for errors that every further file would meet: the server is gone, the disk
 *   is full.
 */
export async function addFiles(
  target: Target,
  collection: string,
  roots: readonly string[],
  options: AddFilesOptions,
): Promise<void> {
  const { onStatus, signal } = options;
  const sent: (Candidate & { metadata?: FileMetadata })[] = [];
  const patches = new MetadataPatches(target, collection, onStatus);
  const lines = async function* (): AsyncGenerator<Uint8Array> {
    const candidates = withStoredHashes(target, collection, findCandidates(roots, options));
    for await (const { candidate, item } of readAheadOf(candidates, options)) {
      if (signal.aborted) return;
      const { id, path, storedHash } = candidate;
      if (item instanceof BadFile)
        await onStatus({ id, path, status: "failed", error: { message: item.message } });
      else if ("what" in item) await onStatus({ id, path, status: "left_out", ...item });
      else if (isOfBytes(storedHash, item.contentHash)) {
        if (item.metadata === undefined) await onStatus({ id, path, status: "unchanged" });
        else if (options.dryRun) await onStatus({ id, path, status: "updated" });
        else await patches.add({ id, path, metadata: item.metadata });
      } else if (options.dryRun) {
        await onStatus({ id, path, status: "stored", replaced: storedHash !== undefined });
      } else {
        // An existing item keeps its metadata, and this is merged into it.
        const isNew = storedHash === undefined;
        const { metadata } = item;
        const sending = isNew ? item : { ...item, metadata: undefined };
        const awaited = { ...candidate, metadata: isNew ? undefined : metadata };
        if (item.bytes.length > maxLineFileBytes)
          await reportStatus(awaited, await sendForm(target, collection, id, sending));
        else {
          sent.push(awaited);
          yield lineOf(id, sending);
        }
      }
    }
  };
  const reportStatus = async (
    { metadata, ...candidate }: (typeof sent)[number],
    status: SentStatus,
  ): Promise<void> => {
    const result = statusOf(candidate, status);
    if (metadata === undefined || result.status !== "stored") return onStatus(result);
    await patches.add({ id: candidate.id, path: candidate.path, metadata, stored: result });
  };
  for await (const status of sendItems(target, collection, lines(), { signal })) {
    await reportStatus(sent.shift()!, status);
  }
  await patches.flush();
}

/** Earlier versions wrote `sha256+SUM OF THE METADATA`. */
const isOfBytes = (stored: string | undefined, sha256: string) => stored?.split("+")[0] === sha256;

interface MetadataPatch {
  id: string;
  path: string;
  metadata: FileMetadata;
  /** The status of the file once its metadata has been changed too. */
  stored?: FileStatus;
}

/** Metadata changes that are sent together. */
class MetadataPatches {
  readonly #target: Target;
  readonly #collection: string;
  readonly #onStatus: AddFilesOptions["onStatus"];
  #waiting: MetadataPatch[] = [];

  constructor(target: Target, collection: string, onStatus: AddFilesOptions["onStatus"]) {
    this.#target = target;
    this.#collection = collection;
    this.#onStatus = onStatus;
  }

  async add(patch: MetadataPatch): Promise<void> {
    if (this.#waiting.push(patch) >= idsPerQuestion) await this.flush();
  }

  async flush(): Promise<void> {
    const patches = this.#waiting;
    this.#waiting = [];
    if (patches.length === 0) return;
    const items = patches.map(({ id, metadata }) => ({ id, metadata }));
    const answer = await this.#target.patchItems(this.#collection, { items });
    const failures = new Map(answer.failed.map(({ id, error }) => [id, error]));
    const missing = new Set(answer.missing);
    const unchanged = new Set(answer.unchanged_ids);
    for (const { id, path, stored } of patches) {
      const error = missing.has(id)
        ? { message: "the item has been deleted in the meantime" }
        : failures.get(id);
      if (error !== undefined) await this.#onStatus({ id, path, status: "failed", error });
      else if (stored !== undefined) await this.#onStatus(stored);
      else await this.#onStatus({ id, path, status: unchanged.has(id) ? "unchanged" : "updated" });
    }
  }
}

/** How many files `addFiles` will look at. */
export async function countFiles(
  roots: readonly string[],
  walk: { recursive: boolean; followLinks?: boolean },
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (const root of roots) {
    for await (const _ of walkFiles(root, { ...walk, eachOnce: true })) {
      if (signal.aborted) return count;
      count++;
    }
  }
  return count;
}

/** @throws CommandError when the failure does not concern this file alone. */
function statusOf({ id, path }: Candidate, status: SentStatus): FileStatus {
  if (status.status === "stored") {
    const { replaced, warnings } = status;
    return { id, path, status: "stored", replaced, warnings };
  }
  const { code, message } = status.error;
  if (!concernsOneItem(code)) throw new CommandError(message, { code });
  return { id, path, status: "failed", error: { code, message } };
}

function lineOf(
  id: string,
  { modality, bytes, metadata, source, contentHash }: FileItem,
): Uint8Array {
  const media = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return Buffer.from(
    `${JSON.stringify({ id, [modality]: media, metadata, source, content_hash: contentHash })}\n`,
  );
}

async function sendForm(
  target: Target,
  collection: string,
  id: string,
  item: FileItem,
): Promise<SentStatus> {
  const { modality, bytes, metadata, source, contentHash } = item;
  try {
    return await target.addItem(collection, {
      id,
      [modality]: bytes,
      metadata,
      source,
      content_hash: contentHash,
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code === undefined) throw error;
    return { status: "failed", error: { code: error.code, message: error.message } };
  }
}
