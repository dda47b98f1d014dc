import { closeSync, constants, fstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import pino from "pino";
import { invalidInput } from "../errors.js";
import { type LinePlace, LineWriter } from "../line-writer.js";
import { type Log, lineOptions, plain, unfiltered } from "../log.js";
import type { StoredKey } from "./key-file.js";
import { RateLimit } from "./rate-limit.js";

/** How long an answer may wait for its line to be written. */
const patienceMs = 1000;
/** Lines about refused attempts in a minute: of one key, and of all without a right key. */
const refusalsPerMinute = 10;
/** Of a path, in characters: longer than those of all that can be changed. */
const maxPath = 6000;
const maxRefusedPath = 200;

/** A request that changes something, or would. */
export interface AuditedRequest {
  method: string;
  path: string;
  status: number;
  address: string;
  /** Id and name of the key that it came with, if that is a right one. */
  key?: string;
  name?: string;
}

/**
 * Who changed what: a line of JSON each, in a file of its own or in the log. A line that the file
 * does not take goes to the log at once, and to the file when it can: see decision 154.
 */
export class Audit {
  readonly #log: Log;
  readonly #always: Log;
  #file: { path: string; lines: LineWriter; log: Log; isFull: boolean } | undefined;
  #keys: ReadonlyMap<string, StoredKey> | undefined;
  readonly #refusals = new RateLimit();
  #leftOut = 0;

  /** Into the log, until `use`. */
  constructor(log: Log) {
    this.#log = log;
    this.#always = unfiltered(log);
  }

  /** Why the file cannot be written at the moment. */
  get trouble(): string | undefined {
    const trouble = this.#file?.lines.trouble as NodeJS.ErrnoException | undefined;
    if (trouble === undefined) return undefined;
    return `the audit file cannot be written: ${trouble.code ?? trouble.message}`;
  }

  /** Lines that are not in the file yet. */
  get waiting(): number {
    return this.#file?.lines.waiting ?? 0;
  }

  /**
   * Writes to a file from now on, which is opened anew even if it is the same: it may have been
   * rotated. Lines that wait go there.
   * @param path  empty for the log; `check` it first.
   */
  use(path: string): void {
    if (path === "") {
      this.#file?.lines.close();
      this.#file = undefined;
      return;
    }
    const lines = this.#file?.lines ?? this.#writer();
    lines.reopen(placeOf(path));
    const write = (line: string) => {
      file.isFull = !lines.write(line);
    };
    const log = pino({ ...lineOptions, base: undefined }, plain({ write }));
    const file = { path, lines, log, isFull: false };
    this.#file = file;
  }

  /** @throws AppError `invalid_input` when a file cannot be appended to. */
  static check(path: string): void {
    if (path === "") return;
    try {
      closeSync(placeOf(path).open().descriptor);
    } catch (error) {
      const why = (error as Error).message;
      throw invalidInput("auditFile", `auditFile "${path}" cannot be used: ${why}`, error);
    }
  }

  /**
   * Records what was done.
   * @returns once it is recorded: what is wrong with the file, if anything. Never rejects.
   */
  async record(fields: object, message = "audit"): Promise<string | undefined> {
    const file = this.#file;
    if (file !== undefined) {
      file.log.info(fields, message);
      if (!file.isFull && (await file.lines.flush(patienceMs))) return undefined;
    }
    this.#always.info({ audit: true, ...fields }, message);
    return this.trouble ?? (file && "the audit file takes its lines too slowly");
  }

  /** Records a request. @returns as `record`. */
  async recordRequest(request: AuditedRequest): Promise<string | undefined> {
    return this.record({ ...request, path: cut(request.path, maxPath) });
  }

  /**
   * Records an attempt to change something that was refused. A stranger may try as often as he
   * likes: the lines are limited, and say how many were left out before them.
   */
  async recordRefusal({ path, ...fields }: AuditedRequest): Promise<string | undefined> {
    if (this.#refusals.take(fields.key ?? "", refusalsPerMinute) > 0) {
      this.#leftOut++;
      return undefined;
    }
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    const shown = cut(path, maxRefusedPath);
    return this.record({ ...fields, path: shown, ...(leftOut > 0 && { leftOut }) }, "refused");
  }

  /** Records work that no request asked for, and how it ended. */
  async during<T>(message: string, work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      await this.record({ result }, message);
      return result;
    } catch (error) {
      await this.record({ error: (error as Error).message }, message);
      throw error;
    }
  }

  /**
   * Records how the keys differ from those of the last call: they are changed beside the server,
   * by `crossmodal keys` or in the file.
   */
  noteKeys(keys: readonly StoredKey[]): void {
    const before = this.#keys;
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    if (before === undefined) return;
    for (const key of keys) {
      const old = before.get(key.id);
      if (JSON.stringify(old) !== JSON.stringify(key)) void this.record(of(key), verbOf(key, old));
    }
    for (const [id, key] of before)
      if (!this.#keys.has(id)) void this.record(of(key), "key removed");
  }

  /** Writes what can be written. */
  async close(): Promise<void> {
    await this.#file?.lines.flush(patienceMs);
    this.#file?.lines.close();
  }

  #writer(): LineWriter {
    const lines = new LineWriter(placeOf(""));
    lines.onTrouble = (error) => {
      const file = this.#file?.path;
      const message = "the audit file cannot be written: its lines go to this log meanwhile";
      this.#log.error({ err: error, file }, message);
    };
    lines.onRecovery = (loss) => {
      this.#log.warn({ file: this.#file?.path, ...loss }, "the audit file is written again");
      if (loss !== undefined) void this.record(loss, "lines are missing here: see the log");
    };
    return lines;
  }
}

const cut = (text: string, limit: number) =>
  text.length > limit ? `${text.slice(0, limit)}…` : text;

/** Also a pipe or a device, which must not wait for its reader. */
const placeOf = (path: string): LinePlace => ({
  name: "audit",
  open: () => {
    const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
    makeFolder(dirname(path));
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY;
    const descriptor = openSync(path, flags, 0o640);
    return { descriptor, neverWaits: fstatSync(descriptor).isFIFO() };
  },
  isGone: (descriptor) => fstatSync(descriptor).nlink === 0,
});

/** As `mkdir -p`; Node's own never returns where a folder cannot be made, as in /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    mkdirSync(path);
  }
}

const of = ({ id, name, scope, expires_at: expiresAt }: StoredKey) => ({
  of: { id, name, scope, expiresAt },
});

function verbOf(key: StoredKey, old: StoredKey | undefined): string {
  if (old === undefined) return "key created";
  const isRevoked = key.revoked_at !== undefined && old.revoked_at === undefined;
  return isRevoked ? "key revoked" : "key changed";
}
