import { timed } from "../stages.js";

/** A file that was read: its cost, and how to decode it. */
export interface Readable<D> {
  /** Bytes that it takes while it is decoded. */
  bytes: number;
  decode: () => Promise<D>;
  /** Bytes that it takes afterwards, until it has been used. */
  keptBytes: (decoded: D) => number;
}

/** The source of a turn's memory: the budget of budget.ts. */
export interface DecodingMemory {
  /** Waits for `bytes` of memory and a free decoder. */
  take(
    caller: unknown,
    bytes: number,
    signal: AbortSignal | undefined,
  ): Promise<{ decoded: (kept: number) => void; release: () => void }>;
}

/** One caller's access to the memory for decoded media: see `MediaBudget`. */
export class Turn {
  readonly #memory: DecodingMemory;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal | undefined;
  readonly #maxActive: number;
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  constructor(
    memory: DecodingMemory,
    { signal, maxActive }: { signal: AbortSignal | undefined; maxActive: number },
  ) {
    this.#memory = memory;
    this.signal = signal;
    this.#maxActive = maxActive;
  }

  /** Memory for something other than media: waits until this much is free. */
  reserve<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const read = async () => ({ bytes, decode: async () => {}, keptBytes: () => bytes });
    return this.decodeAndUse(read, work);
  }

  /**
   * Reads, decodes and uses one file, each when there is room. The decoded media is released once
   * `use` has ended.
   *
   * @throws the signal's reason when it aborts before `use`.
   */
  async decodeAndUse<D, T>(
    read: () => Promise<Readable<D>>,
    use: (decoded: D) => Promise<T>,
  ): Promise<T> {
    if (this.#active >= this.#maxActive)
      await timed("admission", () => new Promise<void>((enter) => this.#waiting.push(enter)));
    else this.#active++;
    try {
      this.signal?.throwIfAborted();
      const { bytes, decode, keptBytes } = await read();
      this.signal?.throwIfAborted();
      const { decoded, release } = await timed("admission", () =>
        this.#memory.take(this, bytes, this.signal),
      );
      let isDecoding = true;
      try {
        const media = await decode();
        isDecoding = false;
        decoded(keptBytes(media));
        this.signal?.throwIfAborted();
        return await use(media);
      } finally {
        if (isDecoding) decoded(0);
        release();
      }
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#active--;
      else next();
    }
  }
}
