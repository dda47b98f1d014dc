import { AppError } from "../errors.js";
import { asInteractive, currentPriority, giveWayToInteractive, inBulk } from "../priority.js";
import { PriorityTurns } from "../priority-turns.js";
import { DrainRate } from "./drain-rate.js";
import { Turn } from "./turn.js";

export interface BudgetLimits {
  /** Work of running requests, in units: see `unitsOf`. */
  maxUnits: number;
  /** Bytes of decoded media held at once, over all callers. */
  maxBytes: number;
  /** Files being decoded: more than there are decoders would only wait in memory. */
  maxDecoding: number;
  /** Files of one caller that are read, decoded or wait for their embedding. */
  maxPerCaller: number;
}

/** A request's cost, as known before anything is decoded. */
export interface Cost {
  /** Texts, pictures, sounds and queries. */
  inputs: number;
  /** Bytes of the files as sent. */
  sentBytes?: number;
  /** Bytes that the files take once they are decoded (decoded-bytes.ts). */
  decodedBytes?: number;
}

/** Work in units of about one small input. A photo of 12 megapixels is 14, a minute of sound 4. */
export const unitsOf = ({ inputs, sentBytes = 0, decodedBytes = 0 }: Cost): number =>
  inputs + sentBytes / 2 ** 20 + decodedBytes / 2 ** 23;

/** One request counts for at most this share of the limit: it works in pieces, taking turns. */
const requestShare = 1 / 8;
/** From this share of the limit on, a request is a large one. */
const largeShare = 1 / 16;
/** Small and large requests may each fill this share: neither kind shuts out the other. */
const kindShare = 3 / 4;

/**
 * Admits requests before anything is decoded, and later gives memory to each file. Requests that
 * find no room are refused at once, with the time to retry. Streams and jobs are never refused:
 * each of their files waits for its turn.
 */
export class MediaBudget {
  readonly #limits: BudgetLimits;
  readonly #drain: DrainRate;
  readonly #used = { small: 0, large: 0 };
  readonly #waiting = new PriorityTurns<{ bytes: number; start: () => void }>();
  #bytes = 0;
  #decoding = 0;

  /** @param now  milliseconds on a monotonic clock. */
  constructor(limits: BudgetLimits, now = () => performance.now()) {
    this.#limits = limits;
    this.#drain = new DrainRate(now);
  }

  /** Units of running requests. */
  get units(): number {
    return this.#used.small + this.#used.large;
  }

  /** Bytes of decoded media that are held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Must be called before a request's body is read.
   * @throws AppError `overloaded` when not even the smallest request would be admitted.
   */
  refuseWhenFull(): void {
    this.#check("small", 1);
  }

  /**
   * Admits a request and releases its share when `work` has ended. A large one gives way to small
   * ones at every step (priority.ts).
   * @param costs  of its inputs; not read further once the request counts as large.
   * @throws AppError `overloaded`, before `work` starts.
   */
  async request<T>(
    costs: Iterable<Cost>,
    signal: AbortSignal | undefined,
    work: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const { maxUnits } = this.#limits;
    const units = sumUpTo(Math.max(1, maxUnits * requestShare), costs);
    const kind = units > Math.max(1, maxUnits * largeShare) ? "large" : "small";
    this.#check(kind, units);
    this.#used[kind] += units;
    try {
      const turn = this.bulk(signal);
      const isBulk = kind === "large" || currentPriority() === "bulk";
      return await (isBulk ? inBulk(() => work(turn)) : asInteractive(() => work(turn)));
    } finally {
      this.#used[kind] -= units;
      this.#drain.add(units);
    }
  }

  /** A turn for work that waits instead of being refused: streams and jobs. */
  bulk(signal?: AbortSignal): Turn {
    return new Turn(this, { signal, maxActive: this.#limits.maxPerCaller });
  }

  /**
   * Waits until there is memory and a free decoder. For `Turn` alone.
   * @returns `decoded` ends the decoding and keeps this much of the memory; `release` frees it.
   */
  async take(
    caller: unknown,
    wanted: number,
    signal: AbortSignal | undefined,
  ): Promise<{ decoded: (kept: number) => void; release: () => void }> {
    // The largest file leaves some room, so that others need not wait for it.
    let bytes = Math.min(wanted, this.#limits.maxBytes * kindShare);
    if (currentPriority() === "bulk") await giveWayToInteractive();
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.remove(caller, (other) => other === entry);
        reject(signal!.reason);
        this.#start(); // those after it may fit
      };
      const entry = {
        bytes,
        start: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(caller, entry, currentPriority());
      this.#start();
    });
    return {
      decoded: (kept) => {
        this.#decoding--;
        this.#bytes -= Math.max(0, bytes - kept);
        bytes = Math.min(bytes, kept);
        this.#start();
      },
      release: () => {
        this.#bytes -= bytes;
        this.#start();
      },
    };
  }

  /**
   * Starts the next ones while there is room: strictly in turn, so that large files get theirs.
   */
  #start(): void {
    const { maxBytes, maxDecoding } = this.#limits;
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      if (this.#decoding >= maxDecoding || this.#bytes + next.bytes > maxBytes) return;
      this.#waiting.take();
      this.#decoding++;
      this.#bytes += next.bytes;
      next.start();
    }
  }

  #check(kind: "small" | "large", units: number): void {
    const { maxUnits } = this.#limits;
    const overKind = this.#used[kind] + units - maxUnits * kindShare;
    const over = Math.max(this.units + units - maxUnits, this.#used[kind] > 0 ? overKind : 0);
    if (over <= 0 || this.units === 0) return;
    const retryAfterSeconds = this.#drain.secondsUntil(over);
    const message =
      `The server is working on ${Math.ceil(this.units)} inputs of at most ${maxUnits} ` +
      `(option maxQueued); try again in ${retryAfterSeconds} s`;
    throw new AppError("overloaded", message, { retryAfterSeconds });
  }
}

function sumUpTo(max: number, costs: Iterable<Cost>): number {
  let units = 0;
  for (const cost of costs) {
    units += unitsOf(cost);
    if (units >= max) return max;
  }
  return units;
}
