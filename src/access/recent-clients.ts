/** A sender of requests, as far as it is known before they are answered. */
export interface Client {
  /** Of the client: behind a trusted proxy not the proxy's. */
  address: string;
  /** The key that it came with, if that is a right one. */
  key?: { id: string; name: string };
  /** Whether it may ask at all: no key is needed, or it has a right one or a signed address. */
  isAdmitted: boolean;
}

export interface SeenRequest extends Client {
  /** See `programOf`. */
  program: string | undefined;
  /** What it speaks: the name of a shape, or `native`, `openai`, `mcp` or `page`. */
  api: string;
  status: number;
}

interface Entry {
  sender: string;
  isAdmitted: boolean;
  last: SeenRequest;
  lastSeenAt: Date;
  apis: Set<string>;
  /** By minute, oldest first. */
  counts: Map<number, { requests: number; errors: number }>;
}

/** A client with what it did in the last minutes. */
export interface RecentClient extends Omit<SeenRequest, "api" | "status" | "isAdmitted"> {
  apis: string[];
  requests: number;
  /** Those answered with a status of 400 or more, but 499: the client had gone. */
  errors: number;
  lastSeenAt: Date;
}

const maxClients = 100;
/** Of one key or address: a program may name itself anew with each request. */
const maxPrograms = 5;
/** What `requests` and `errors` count over, the current minute included. */
export const windowMinutes = 5;

/**
 * Who asked this server last, in memory only: no path, query, body or key. Bounded, and those
 * without a right key never push out one that has one.
 */
export class RecentClients {
  readonly #now: () => number;
  /** The one seen longest ago first. */
  readonly #entries = new Map<string, Entry>();

  /** @param now  milliseconds since 1970; a parameter so that tests control the time. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  note(request: SeenRequest): void {
    const sender = request.key === undefined ? `address ${request.address}` : request.key.id;
    const id = JSON.stringify([sender, request.program]);
    const now = this.#now();
    const seen = this.#entries.get(id);
    const entry = seen ?? {
      sender,
      isAdmitted: false,
      last: request,
      lastSeenAt: new Date(now),
      apis: new Set(),
      counts: new Map(),
    };
    this.#entries.delete(id); // and in again as the newest
    this.#entries.set(id, entry);
    entry.isAdmitted ||= request.isAdmitted;
    entry.last = request;
    entry.lastSeenAt = new Date(now);
    entry.apis.add(request.api);
    const minute = Math.floor(now / 60_000);
    forgetCounts(entry, minute);
    const count = entry.counts.get(minute) ?? { requests: 0, errors: 0 };
    count.requests++;
    if (request.status >= 400 && request.status !== 499) count.errors++;
    entry.counts.set(minute, count);
    if (seen === undefined) this.#makeRoom(sender);
  }

  /** The one seen last first. */
  list(): RecentClient[] {
    const minute = Math.floor(this.#now() / 60_000);
    return [...this.#entries.values()].reverse().map((entry) => {
      const { apis, counts, lastSeenAt } = entry;
      const { key, address, program } = entry.last;
      forgetCounts(entry, minute);
      const sums = { requests: 0, errors: 0 };
      for (const { requests, errors } of counts.values()) {
        sums.requests += requests;
        sums.errors += errors;
      }
      return { key, address, program, apis: [...apis], ...sums, lastSeenAt };
    });
  }

  #makeRoom(sender: string): void {
    const ofSender = [...this.#entries].filter(([, entry]) => entry.sender === sender);
    if (ofSender.length > maxPrograms) this.#entries.delete(ofSender[0][0]);
    if (this.#entries.size <= maxClients) return;
    const [oldest] = this.#entries.keys();
    const [stranger = oldest] = [...this.#entries].find(([, { isAdmitted }]) => !isAdmitted) ?? [];
    this.#entries.delete(stranger);
  }
}

function forgetCounts({ counts }: Entry, minute: number): void {
  // A clock that was set back would keep the minutes after it.
  for (const past of counts.keys())
    if (past <= minute - windowMinutes || past > minute) counts.delete(past);
}
