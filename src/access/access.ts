import { createHash, timingSafeEqual } from "node:crypto";
import { statSync } from "node:fs";
import { AppError } from "../errors.js";
import type { StateFolder } from "../files/state-folder.js";
import type { Audit } from "./audit.js";
import { hadKeys, hashOf, keyFilePath, readKeys, type Scope, type StoredKey } from "./key-file.js";

/** The sender of a request. */
export interface Caller {
  /**
   * The key's id, as `crossmodal keys list` shows it; `configured` for a key of the configuration.
   */
  id: string;
  name: string;
  scope: Scope;
  /** As in the key file; absent where it does not expire. */
  expiresAt?: string;
  requestsPerMinute?: number;
}

type KeyFolder = Pick<StateFolder, "path" | "isLoaded">;

/**
 * The keys that open this server: those of the configuration, which may do everything, and those
 * that were created. The file is checked on every request, so that new and revoked keys take effect
 * with the next one.
 */
export class Access {
  readonly #configured: readonly Buffer[];
  readonly #files: KeyFolder | undefined;
  #keys = new Map<string, StoredKey>();
  #successor: Access | undefined;
  #version: string | undefined;
  readonly #audit: Pick<Audit, "noteKeys"> | undefined;

  /**
   * @param files  with the created keys; without it, only those of the configuration count.
   * @param audit  is told of keys each time that they are read.
   */
  constructor(
    { apiKeys }: { apiKeys: readonly string[] },
    files?: KeyFolder,
    audit?: Pick<Audit, "noteKeys">,
  ) {
    this.#configured = apiKeys.map(digest);
    this.#files = files;
    this.#audit = audit;
  }

  /** From now on the keys of another configuration hold. */
  replaceBy(successor: Access): void {
    this.#successor = successor;
  }

  /**
   * Whether a key opens this server at the moment: also where the keys of the configuration have
   * changed since its request came.
   * @throws AppError as `callerWith`.
   */
  async admits(key: string): Promise<boolean> {
    if (this.#successor !== undefined) return this.#successor.admits(key);
    return !this.needsKey || (await this.callerWith(key)) !== undefined;
  }

  /** @throws AppError `storage_corrupt` when the key file is damaged. */
  async refresh(): Promise<void> {
    const version = this.#fileVersion();
    if (version === this.#version || !this.#files?.isLoaded) return;
    const keys = await readKeys(this.#files);
    if (this.#fileVersion() !== version) return this.refresh(); // these may be the older ones
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#version = version;
    this.#audit?.noteKeys(keys);
  }

  /**
   * Whether a key is required at all. Once any key exists it stays required, even when all are
   * revoked; and while the keys are not known yet.
   */
  get needsKey(): boolean {
    return (
      this.#files?.isLoaded === false || this.#configured.length > 0 || this.#fileVersion() !== ""
    );
  }

  /**
   * @returns undefined for a key that is unknown, revoked or expired.
   * @throws AppError `storage_corrupt` when the key file is damaged, `storage_unavailable` while
   *   keys could not be read from the database yet: nobody is let in then.
   */
  async callerWith(key: string, now = new Date()): Promise<Caller | undefined> {
    const candidate = digest(key); // of equal length, so that the comparison takes equal time
    const configured = this.#configured.filter((configuredKey) =>
      timingSafeEqual(configuredKey, candidate),
    );
    if (configured.length > 0) return { id: "configured", name: "configuration", scope: "admin" };
    if (this.#files?.isLoaded === false) {
      const message = "The database with the API keys has not answered since the start";
      throw new AppError("storage_unavailable", message, { retryAfterSeconds: 2 });
    }
    await this.refresh();
    const [, id, secret] = /^cm_([a-z2-7]{8})_(.{1,100})$/.exec(key) ?? [];
    const stored = this.#keys.get(id ?? "");
    if (stored === undefined) return undefined;
    const right = timingSafeEqual(Buffer.from(stored.hash), Buffer.from(hashOf(secret)));
    const expired = stored.expires_at !== undefined && new Date(stored.expires_at) <= now;
    if (!right || expired || stored.revoked_at !== undefined) return undefined;
    const { name, scope, expires_at, requests_per_minute: requestsPerMinute } = stored;
    return { id, name, scope, expiresAt: expires_at, requestsPerMinute };
  }

  /**
   * Version of the key file; empty where there never was one. A deleted file lets nobody in, even
   * after a restart.
   */
  #fileVersion(): string {
    if (this.#files === undefined) return "";
    const found = statSync(keyFilePath(this.#files), { throwIfNoEntry: false, bigint: true });
    if (found !== undefined) return `${found.ino}:${found.size}:${found.mtimeNs}`;
    return (this.#version ?? "") === "" && !hadKeys(this.#files) ? "" : "gone";
  }
}

const digest = (key: string) => createHash("sha256").update(key).digest();
