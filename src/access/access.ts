import { createHash, timingSafeEqual } from "node:crypto";
import { statSync } from "node:fs";
import { hashOf, keyFilePath, readKeys, type Scope, type StoredKey } from "./key-file.js";

/** Who sends a request. */
export interface Caller {
  /** Of the key, as `crossmodal keys list` shows it; `configured` for one of the configuration. */
  id: string;
  name: string;
  scope: Scope;
  requestsPerMinute?: number;
}

/**
 * The keys that open this server: those of the configuration, which may do everything, and those in
 * the data folder. The file is looked at for every request, so that a new key works and a revoked
 * one does not from the next request on, whoever changed the file.
 */
export class Access {
  readonly #configured: readonly Buffer[];
  readonly #dataDir: string;
  #keys = new Map<string, StoredKey>();
  #version = "";

  constructor(config: { apiKeys: readonly string[]; dataDir: string }) {
    this.#configured = config.apiKeys.map(digest);
    this.#dataDir = config.dataDir;
  }

  /** @throws AppError `storage_corrupt` when the file of keys is damaged. */
  async refresh(): Promise<void> {
    const version = this.#fileVersion();
    if (version === this.#version) return;
    this.#keys = new Map((await readKeys(this.#dataDir)).map((key) => [key.id, key]));
    this.#version = version;
  }

  /**
   * Whether a key is needed at all. Once keys were made it stays so, all of them revoked or not.
   */
  get needsKey(): boolean {
    return this.#configured.length > 0 || this.#fileVersion() !== "";
  }

  /**
   * @returns undefined for a key that is unknown, revoked or expired.
   * @throws AppError `storage_corrupt` when the file of keys is damaged: nobody is let in then.
   */
  async callerWith(key: string, now = new Date()): Promise<Caller | undefined> {
    const candidate = digest(key); // of equal length, so that the comparison takes equal time
    const configured = this.#configured.filter((known) => timingSafeEqual(known, candidate));
    if (configured.length > 0) return { id: "configured", name: "configuration", scope: "admin" };
    await this.refresh();
    const [, id, secret] = /^cm_([a-z2-7]{8})_(.{1,100})$/.exec(key) ?? [];
    const stored = this.#keys.get(id ?? "");
    if (stored === undefined) return undefined;
    const right = timingSafeEqual(Buffer.from(stored.hash), Buffer.from(hashOf(secret)));
    const expired = stored.expires_at !== undefined && new Date(stored.expires_at) <= now;
    if (!right || expired || stored.revoked_at !== undefined) return undefined;
    const { name, scope, requests_per_minute: requestsPerMinute } = stored;
    return { id, name, scope, requestsPerMinute };
  }

  /**
   * Of the file of keys; empty where there is none and never was. A file that went opens nothing.
   */
  #fileVersion(): string {
    const found = statSync(keyFilePath(this.#dataDir), { throwIfNoEntry: false, bigint: true });
    if (found !== undefined) return `${found.ino}:${found.size}:${found.mtimeNs}`;
    return this.#version === "" ? "" : "gone";
  }
}

const digest = (key: string) => createHash("sha256").update(key).digest();
