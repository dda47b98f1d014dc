import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../../errors.js";
import { storageError } from "../../files/write-durably.js";
import { type HubAnswer, type HubClient, reasonOf } from "./hub-client.js";
import type { HubFile } from "./list-repo.js";
import { problemWith } from "./problem-with.js";
import { HubTrouble, withRetries } from "./retry.js";

export interface DownloadOptions {
  signal?: AbortSignal;
  /** Called with the number of bytes present whenever it changes. */
  onBytes?: (receivedBytes: number) => void;
}

/** The path at a hub of a file of a repository at a commit. */
export const repositoryPath = (
  { repo, commit }: { repo: string; commit: string },
  { path }: HubFile,
): string =>
  ["", repo, "resolve", ...[commit, ...path.split("/")].map(encodeURIComponent)].join("/");

/** What `<target>.part` is a part of; stored beside it as `<target>.part.json`. */
interface PartRecord {
  /**
   * sha256, git's sha1 or nothing if the hub gives neither: such a part is not continued.
   */
  identity?: string;
  /** The ETag of its first answer, sent back as If-Range. */
  etag?: string;
}

/**
 * Fetches one file to `target`, which appears complete, synced and verified or not at all. A broken
 * transfer continues where it ended, even in a later process: the bytes so far are in
 * `<target>.part`.
 *
 * @param path  of the file at the hub, e.g. from `repositoryPath`.
 * @throws AppError `hub_failed` when the hub is unavailable, or keeps sending other bytes than
 *   announced; `storage_full`; `cancelled` after an abort. In all cases the part is kept.
 */
export async function downloadFile(
  client: HubClient,
  path: string,
  file: HubFile,
  target: string,
  options: DownloadOptions = {},
): Promise<void> {
  const { signal, onBytes } = options;
  const part = new Part(target, file);
  await part.open();
  try {
    await withRetries(
      async () => {
        onBytes?.(await part.size());
        if (file.size === undefined || (await part.size()) < file.size)
          await transfer(client, path, part, options);
        const problem = await part.problem();
        if (problem !== undefined)
          await part.beginAnew(`${client.settings.endpoint}${path}: ${problem}`);
      },
      { ...client.retry, signal },
    );
    await part.finish();
  } catch (error) {
    if (signal?.aborted)
      throw new AppError("cancelled", await part.left("Interrupted"), { cause: error });
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new AppError("storage_full", await part.left("The disk is full"), { cause: error });
    throw typeof (error as NodeJS.ErrnoException).syscall === "string"
      ? storageError(error, part.path)
      : error;
  }
}

/** One request: appends its bytes to the part. */
async function transfer(
  client: HubClient,
  path: string,
  part: Part,
  { signal, onBytes }: DownloadOptions,
) {
  const have = await part.size();
  const headers: Record<string, string> = {};
  if (have > 0) {
    headers.range = `bytes=${have}-`;
    if (part.record.etag !== undefined) headers["if-range"] = part.record.etag;
  }
  const answer = await client.get(path, { headers, signal }).catch(async (error) => {
    // 416: the file ends where the part does or before, so it is not the one announced.
    if (error instanceof HubTrouble && error.message.endsWith(" 416"))
      await part.beginAnew(error.message);
    throw error;
  });
  await part.describedBy(answer);
  const continuesPart = answer.status === 206 && startOf(answer) === have;
  if (answer.status === 206 && !continuesPart) {
    answer.body.destroy();
    await part.beginAnew(
      `${client.settings.endpoint}${path} answered with another range than requested`,
    );
  }
  let receivedBytes = continuesPart ? have : 0;
  const sink = await open(part.path, continuesPart ? "a" : "w");
  try {
    await part.remember(answer);
    for await (const chunk of answer.body) {
      if (part.file.size !== undefined && receivedBytes + chunk.length > part.file.size) {
        // Kept with one byte too many, so that it fails verification and is discarded.
        await sink.write(chunk, 0, part.file.size - receivedBytes + 1);
        receivedBytes = part.file.size + 1;
        break;
      }
      await sink.writeFile(chunk);
      receivedBytes += chunk.length;
      onBytes?.(receivedBytes);
    }
    await sink.sync();
  } catch (error) {
    signal?.throwIfAborted();
    if (typeof (error as NodeJS.ErrnoException).syscall === "string" && !isNetwork(error))
      throw error;
    const message =
      `${client.settings.endpoint}${path} broke off at ` +
      `${receivedBytes} bytes (${reasonOf(error)})`;
    throw new HubTrouble(message, { cause: error, progressed: receivedBytes > have });
  } finally {
    await sink.close();
  }
  if (part.file.size !== undefined && receivedBytes < part.file.size) {
    const message =
      `${client.settings.endpoint}${path} ended after ` +
      `${receivedBytes} of ${part.file.size} bytes`;
    throw new HubTrouble(message, { progressed: receivedBytes > have });
  }
}

class Part {
  readonly path: string;
  record: PartRecord;
  /** As the listing announced it, filled up from the answer's headers. */
  readonly file: HubFile;
  readonly #target: string;

  constructor(target: string, file: HubFile) {
    this.#target = target;
    this.path = `${target}.part`;
    this.file = { ...file };
    this.record = { identity: file.sha256 ?? file.gitSha1 };
  }

  /** Keeps the existing part if it belongs to this very file. */
  async open(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const text = await readFile(`${this.path}.json`, "utf8").catch(() => "{}");
    let found: PartRecord = {};
    try {
      found = JSON.parse(text) as PartRecord;
    } catch {
      // cut short by a crash: the part is begun anew
    }
    if (found.identity !== undefined && found.identity === this.record.identity)
      this.record = found;
    else await this.discard();
  }

  async size(): Promise<number> {
    const found = await stat(this.path).catch(() => undefined);
    return found?.size ?? 0;
  }

  /** Size and hash from the hub's answer, if the listing gave none. */
  async describedBy({ hubHeaders: headers }: HubAnswer): Promise<void> {
    const size = Number(headers["x-linked-size"] ?? Number.NaN);
    const etag = String(headers["x-linked-etag"] ?? headers.etag ?? "").replace(/^W\/|"/g, "");
    if (this.file.sha256 !== undefined || this.file.gitSha1 !== undefined) return;
    if (/^[0-9a-f]{64}$/.test(etag)) this.file.sha256 = etag;
    else if (/^[0-9a-f]{40}$/.test(etag)) this.file.gitSha1 = etag;
    if (this.file.size === undefined && Number.isInteger(size)) this.file.size = size;
    this.record.identity = this.file.sha256 ?? this.file.gitSha1;
  }

  async remember({ headers }: HubAnswer): Promise<void> {
    const etag =
      typeof headers.etag === "string" && !headers.etag.startsWith("W/") ? headers.etag : undefined;
    this.record = { ...this.record, etag };
    await writeFile(`${this.path}.json`, JSON.stringify(this.record));
  }

  problem(): Promise<string | undefined> {
    return problemWith(this.path, this.file);
  }

  async finish(): Promise<void> {
    await rename(this.path, this.#target);
    await rm(`${this.path}.json`, { force: true });
  }

  /** Discards the part, for another try from the start; gives up after too many. */
  async beginAnew(why: string): Promise<never> {
    await this.discard();
    if (++this.#restarts >= 3)
      throw new AppError("hub_failed", `${why}, repeatedly. Nothing was kept.`);
    throw new HubTrouble(why);
  }
  #restarts = 0;

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(`${this.path}.json`, { force: true });
  }

  async left(why: string): Promise<string> {
    const { size } = this.file;
    const receivedBytes = await this.size();
    return (
      `${why}: "${this.#target}" is not complete. ` +
      `${receivedBytes}${size === undefined ? "" : ` of ${size}`} bytes of it ` +
      `are in "${this.path}" and will be used when the command is run again.`
    );
  }
}

/** `bytes 100-199/200` -> 100. */
function startOf({ headers }: HubAnswer): number {
  const match = /^bytes (\d+)-/.exec(String(headers["content-range"] ?? ""));
  return match === null ? Number.NaN : Number(match[1]);
}

/** Sockets fail with a `syscall` too, as files do. */
const isNetwork = (error: unknown) =>
  /^(read|write|connect|getaddrinfo)$/.test((error as NodeJS.ErrnoException).syscall ?? "") &&
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET)/.test(
    (error as NodeJS.ErrnoException).code ?? "",
  );
