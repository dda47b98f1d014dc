import type { AppError } from "../../../errors.js";
import type { Log } from "../../../log.js";
import { type Remote, remoteOf } from "../../../workers/remote.js";
import { startWorker } from "../../../workers/start-worker.js";
import { SupervisedWorker } from "../../../workers/supervise.js";
import { collectionByNumber } from "../collection-rows.js";
import type { Connections } from "../connections.js";
import { copyBytes } from "./bit-copy.js";
import { CollectionCopy, type CopiedCollection } from "./collection-copy.js";
import { lastCopiedSeq } from "./copied-rows.js";
import type { CopyCore } from "./copy-core.js";
import type { Nomination, NominationQuery } from "./query-scan.js";
import { SharedScans } from "./shared-scans.js";
import { changedSince, copyVectors, positionOf } from "./vector-log.js";

export interface CopyLimits {
  /** Memory for the copies of this server, in bytes; 0 for none. */
  maxCopyBytes: number;
  /** From this many items on a collection is copied; fewer are as quickly compared with. */
  copyFrom: number;
  /** Up to this many items a scan costs less than the graph. */
  copyUpTo: number;
}

/** Read and rounded at a time: 3 ms in which no other copy answers. */
const rowsAtOnce = 500;
/** Of so many changes at once reading everything anew costs less. */
const maxCaughtUp = 200_000;
/** A copy that was not used for so long gives way to another. */
const idleMs = 60_000;
const refreshAfterMs = 200;
const refreshEveryMs = 2000;
/** After a copy could not be made, unless the error says when. */
const retryAfterSeconds = 10;

/**
 * The 8-bit copies that this server has of collections: made when a collection is searched, kept up
 * by the log of changes (vector-log.ts), and only ever a means to nominate. Without one a search
 * has other ways.
 */
export class ServerCopies {
  readonly #connections: Connections;
  readonly #limits: CopyLimits;
  readonly #log: Log | undefined;
  readonly #copies = new Map<number, CollectionCopy>();
  readonly #timer: NodeJS.Timeout;
  readonly #scans = new SharedScans(async (id, queries) =>
    (await this.#core()).nominate(id, queries),
  );
  #worker: Promise<SupervisedWorker> | undefined;
  #working: Promise<void> | undefined;
  #moment = 0;
  #notBefore = 0;
  #isClosed = false;

  constructor(connections: Connections, limits: CopyLimits, log: Log | undefined) {
    this.#connections = connections;
    this.#limits = limits;
    this.#log = log;
    this.#timer = setInterval(() => this.#work(() => this.#refreshAll()), refreshEveryMs);
    this.#timer.unref();
  }

  /** Take it before the transaction of a search begins. */
  get moment(): number {
    return this.#moment;
  }

  /** The copy of a collection if it is complete. */
  of(n: number): CollectionCopy | undefined {
    const copy = this.#copies.get(n);
    return copy?.position === undefined ? undefined : copy;
  }

  /** The copy of the collection that was last found by this name, if it is complete. */
  named(name: string): CollectionCopy | undefined {
    for (const copy of this.#copies.values()) if (copy.names.has(name)) return this.of(copy.n);
    return undefined;
  }

  /** A search would like a copy of a collection with so many items: one is made if it fits. */
  ask(collection: CopiedCollection, count: number): void {
    const { maxCopyBytes, copyFrom, copyUpTo } = this.#limits;
    if (count < copyFrom || count > copyUpTo || this.#copies.has(collection.n)) return;
    if (this.#working !== undefined || performance.now() < this.#notBefore) return;
    const bytes = copyBytes(count, collection.dimensions);
    if (bytes > maxCopyBytes) return;
    this.#work(async () => {
      const { n, dimensions, space } = collection;
      const copy = new CollectionCopy({ n, dimensions, space }, bytes);
      if (await this.#makeRoom(bytes)) await this.#load(copy);
    });
  }

  /** @returns undefined where the copy cannot say. */
  async nominate(copy: CollectionCopy, query: NominationQuery): Promise<Nomination | undefined> {
    copy.usedAt = performance.now();
    try {
      return await this.#scans.nominate(copy.id, query);
    } catch (error) {
      await this.#drop(copy, error);
      return undefined;
    }
  }

  /** Soon takes over what a search found changed. */
  refresh(copy: CollectionCopy): void {
    if (this.#working !== undefined) return;
    this.#work(async () => {
      await new Promise((resolve) => setTimeout(resolve, refreshAfterMs).unref());
      await this.#refresh(copy);
    });
  }

  /** Resolves when no copy is being made or refreshed. */
  async whenIdle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.whenIdle();
    await (await this.#worker?.catch(() => undefined))?.close();
  }

  /** One piece of work at a time: a copy that is read takes a connection. */
  #work(work: () => Promise<void>): void {
    if (this.#isClosed || this.#working !== undefined) return;
    this.#working = work()
      .catch((error) => {
        const seconds = (error as Partial<AppError>).retryAfterSeconds ?? retryAfterSeconds;
        this.#notBefore = performance.now() + 1000 * seconds;
        this.#log?.warn({ err: error }, "a copy of a collection's vectors could not be kept up");
      })
      .finally(() => {
        this.#working = undefined;
      });
  }

  async #refreshAll(): Promise<void> {
    for (const copy of this.#copies.values()) await this.#refresh(copy);
  }

  /** Searches that come meanwhile do without it. */
  async #load(copy: CollectionCopy): Promise<void> {
    this.#copies.set(copy.n, copy);
    try {
      const position = await this.#connections.read(positionOf);
      const core = await this.#core();
      await core.create(copy.id, copy.collection.dimensions);
      for (let reading = this.#read(copy, 0); !this.#isClosed; ) {
        const rows = await reading;
        const last = lastCopiedSeq(rows, copy.collection.dimensions);
        if (last === undefined) break;
        // The next are read while these are rounded.
        reading = this.#read(copy, last);
        reading.catch(() => undefined); // it is awaited later, or not at all
        this.#measure(copy, await core.put(copy.id, rows));
      }
      if (this.#isClosed) return;
      copy.end(position, ++this.#moment);
      // What was written meanwhile, before anyone has to compare with it
      await this.#refresh(copy);
    } catch (error) {
      await this.#drop(copy);
      throw error;
    }
  }

  #read(copy: CollectionCopy, after: number): Promise<Uint8Array> {
    return this.#connections.read((db) => copyVectors(db, copy.n, { after, limit: rowsAtOnce }));
  }

  async #refresh(copy: CollectionCopy): Promise<void> {
    const { position } = copy;
    if (position === undefined || this.#copies.get(copy.n) !== copy) return;
    const found = await this.#connections.read(async (db) => {
      if ((await collectionByNumber(db, copy.n)) === undefined) return undefined;
      const seqs = await changedSince(db, copy.n, position, maxCaughtUp);
      return seqs && { seqs, position: await positionOf(db) };
    });
    // The next search that wants one has it made anew.
    if (found === undefined) return this.#drop(copy);
    copy.begin(found.seqs);
    const core = await this.#core();
    for (let from = 0; from < found.seqs.length && !this.#isClosed; from += rowsAtOnce) {
      const seqs = found.seqs.slice(from, from + rowsAtOnce);
      const rows = await this.#connections.read((db) => copyVectors(db, copy.n, { seqs }));
      this.#measure(copy, await core.put(copy.id, rows, seqs));
    }
    if (this.#isClosed) return;
    copy.end(found.position, ++this.#moment);
    const isTooLarge = copy.rows > this.#limits.copyUpTo || this.#used > this.#limits.maxCopyBytes;
    if (isTooLarge) await this.#drop(copy);
  }

  #measure(copy: CollectionCopy, { counts, bytes }: { counts: number[]; bytes: number }): void {
    copy.counts = counts;
    copy.bytes = Math.max(bytes, copy.position === undefined ? copy.bytes : 0);
  }

  get #used(): number {
    return [...this.#copies.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Drops copies that nobody uses, the one that was not used for the longest time first. */
  async #makeRoom(bytes: number): Promise<boolean> {
    const idle = [...this.#copies.values()]
      .filter(({ usedAt }) => performance.now() - usedAt > idleMs)
      .sort((a, b) => a.usedAt - b.usedAt);
    for (const copy of idle) {
      if (this.#used + bytes <= this.#limits.maxCopyBytes) break;
      await this.#drop(copy);
    }
    return this.#used + bytes <= this.#limits.maxCopyBytes;
  }

  async #drop(copy: CollectionCopy, because?: unknown): Promise<void> {
    if (this.#copies.get(copy.n) !== copy) return;
    this.#copies.delete(copy.n);
    if (because !== undefined) this.#log?.warn({ err: because }, "a copy of vectors was dropped");
    // Where the thread is gone, so is the copy.
    await this.#core()
      .then((core) => core.drop(copy.id))
      .catch(() => undefined);
  }

  async #core(): Promise<Remote<CopyCore>> {
    this.#worker ??= SupervisedWorker.start({
      name: "The thread of the copies",
      log: this.#log,
      start: async () => {
        const worker = startWorker(new URL("./copy-worker.js", import.meta.url));
        await worker.call("open", []);
        return worker;
      },
    }).catch((error) => {
      this.#worker = undefined; // the next use tries again
      throw error;
    });
    return remoteOf<CopyCore>(await this.#worker);
  }
}
