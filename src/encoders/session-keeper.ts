import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import type { Session } from "./session.js";

export interface SessionKeeperOptions {
  /** A session idle for this long is put to sleep; 0 means never. */
  idleMs: number;
  /** Bytes of weights of all sessions that are awake; 0 is without a limit. */
  maxBytes: number;
  log?: Log;
}

export interface KeptGraph {
  /** Its name in messages. */
  name: string;
  /** Of its weights. */
  bytes: number;
  /** Checks the files and opens a session: at first, and each time it wakes up. */
  open(): Promise<Session>;
  /** Whether it never sleeps. */
  isPinned(): boolean;
}

/** A session whose graph is in memory only while it is used. */
export interface KeptSession extends Session {
  /** Closes the graph until the next run. */
  sleep(): Promise<void>;
  readonly bytes: number;
  readonly isAwake: boolean;
}

/** How often graphs that ran while others were opened are looked at, where memory is limited. */
const roomEveryMs = 1000;

/**
 * Opens sessions, and closes those that are not used: after a while, and the least recently used
 * ones when all together take more memory than they may. One that sleeps is opened again, and its
 * files checked again, by the next run, which waits for it. A session never sleeps while it runs:
 * until it has ended, all together may take more than they may.
 */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #now: () => number;
  readonly #sessions = new Set<Kept>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SessionKeeperOptions, now = () => performance.now()) {
    this.#options = options;
    this.#now = now;
    const { idleMs, maxBytes } = options;
    const everyMs = Math.min(
      idleMs === 0 ? Number.POSITIVE_INFINITY : Math.min(30_000, Math.max(100, idleMs / 4)),
      maxBytes === 0 ? Number.POSITIVE_INFINITY : roomEveryMs,
    );
    if (Number.isFinite(everyMs)) this.#timer = setInterval(() => this.check(), everyMs).unref();
  }

  /** @throws what `open` throws. */
  async open(graph: KeptGraph): Promise<KeptSession> {
    const kept: Kept = new Kept(graph, {
      now: this.#now,
      onAwake: () => this.#makeRoom(kept),
      onClose: () => this.#sessions.delete(kept),
    });
    await kept.wake();
    this.#sessions.add(kept);
    return kept;
  }

  /** Puts to sleep what has not been used for too long, and what is too much. */
  check(): void {
    const { idleMs } = this.#options;
    if (idleMs > 0)
      for (const kept of this.#sessions)
        if (kept.mayYield && this.#now() - kept.usedAt >= idleMs) this.#sleep(kept, "was not used");
    const awake = [...this.#sessions].filter(({ isAwake }) => isAwake);
    const [latest] = awake.sort((a, b) => b.usedAt - a.usedAt);
    if (latest !== undefined) this.#makeRoom(latest);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** @param latest  the last one that was used, which stays even if it alone is too large. */
  #makeRoom(latest: Kept): void {
    const { maxBytes } = this.#options;
    if (maxBytes === 0) return;
    const awake = [...new Set([...this.#sessions, latest])].filter((kept) => kept.isAwake);
    let bytes = awake.reduce((sum, kept) => sum + kept.bytes, 0);
    const others = awake.filter((kept) => kept !== latest && kept.mayYield);
    for (const kept of others.sort((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= maxBytes) return;
      bytes -= kept.bytes;
      this.#sleep(kept, "made room for another");
    }
  }

  #sleep(kept: Kept, why: string): void {
    this.#options.log?.info({ bytes: kept.bytes }, `${kept.name} sleeps: it ${why}`);
    kept.sleep().catch((error) => {
      this.#options.log?.error({ err: error }, `${kept.name} could not be closed`);
    });
  }
}

interface Surroundings {
  now: () => number;
  onAwake: () => void;
  onClose: () => void;
}

class Kept implements KeptSession {
  readonly bytes: number;
  readonly name: string;
  readonly #graph: KeptGraph;
  readonly #surroundings: Surroundings;
  /** From when it was last awake: a graph's inputs and outputs do not change. */
  #info: Session["info"] | undefined;
  #opening: Promise<Session> | undefined;
  #session: Session | undefined;
  #falling: Promise<void> | undefined;
  #running = 0;
  #isClosed = false;
  #usedAt: number;

  constructor(graph: KeptGraph, surroundings: Surroundings) {
    this.#graph = graph;
    this.#surroundings = surroundings;
    this.bytes = graph.bytes;
    this.name = graph.name;
    this.#usedAt = surroundings.now();
  }

  /** When its last run ended, or now. */
  get usedAt(): number {
    return this.#running > 0 ? this.#surroundings.now() : this.#usedAt;
  }

  get info(): Session["info"] {
    return this.#info!;
  }

  get trouble(): string | undefined {
    return this.#session?.trouble;
  }

  get isAwake(): boolean {
    return this.#session !== undefined;
  }

  /** Whether it can be put to sleep at the moment. */
  get mayYield(): boolean {
    return this.isAwake && this.#running === 0 && !this.#graph.isPinned();
  }

  wake(): Promise<Session> {
    this.#opening ??= (async () => {
      await this.#falling?.catch(() => undefined); // whoever put it to sleep reports that
      try {
        this.#session = await this.#graph.open();
      } catch (error) {
        this.#opening = undefined; // the next run tries again
        throw error;
      }
      this.#info = this.#session.info;
      this.#usedAt = this.#surroundings.now();
      this.#surroundings.onAwake();
      return this.#session;
    })();
    return this.#opening;
  }

  async run(...args: Parameters<Session["run"]>): ReturnType<Session["run"]> {
    // Work that goes on after its request: the graph would never be closed again.
    if (this.#isClosed) throw new AppError("unavailable", `${this.name} was unloaded`);
    this.#running++;
    try {
      return await (await this.wake()).run(...args);
    } finally {
      this.#running--;
      this.#usedAt = this.#surroundings.now();
    }
  }

  async sleep(): Promise<void> {
    const session = this.#session;
    this.#session = this.#opening = undefined;
    this.#falling = session?.close();
    await this.#falling;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#surroundings.onClose();
    await this.#opening?.catch(() => undefined);
    await this.sleep();
  }
}
