/** What a gate bounds. */
export interface DecodeGateOptions {
  /** Inputs decoded or waiting for their embedding: a full batch or two. */
  maxInputs: number;
  /** Inputs being decoded: more than there are threads would only wait in memory. */
  maxDecoding: number;
  /** Decoded bytes above which nothing new is decoded. */
  maxBytes: number;
}

/**
 * Bounds the decoded pictures and sounds that are held at once, over all adds and searches: a photograph of 12 megapixels
 * is 36 MB once it is decoded. First come, first served.
 */
export class DecodeGate {
  readonly #options: DecodeGateOptions;
  readonly #waiting: (() => void)[] = [];
  #inputs = 0;
  #decoding = 0;
  #bytes = 0;

  constructor(options: DecodeGateOptions) {
    this.#options = options;
  }

  /**
   * @param decode  reads and decodes one input; begins when there is room.
   * @param sizeOf  bytes that the decoded input takes until `use` has ended.
   */
  async run<D, T>(
    decode: () => Promise<D>,
    {
      sizeOf,
      use,
      signal,
    }: { sizeOf: (decoded: D) => number; use: (decoded: D) => Promise<T>; signal?: AbortSignal },
  ): Promise<T> {
    await new Promise<void>((enter) => {
      this.#waiting.push(enter);
      this.#admit();
    });
    let bytes = 0;
    try {
      const decoded = await this.#decode(decode, signal);
      bytes = sizeOf(decoded);
      this.#bytes += bytes;
      this.#admit();
      return await use(decoded);
    } finally {
      this.#inputs--;
      this.#bytes -= bytes;
      this.#admit();
    }
  }

  async #decode<D>(decode: () => Promise<D>, signal: AbortSignal | undefined): Promise<D> {
    try {
      signal?.throwIfAborted();
      return await decode();
    } finally {
      this.#decoding--;
    }
  }

  #admit(): void {
    const { maxInputs, maxDecoding, maxBytes } = this.#options;
    while (
      this.#waiting.length > 0 &&
      this.#inputs < maxInputs &&
      this.#decoding < maxDecoding &&
      this.#bytes < maxBytes
    ) {
      this.#inputs++;
      this.#decoding++;
      this.#waiting.shift()?.();
    }
  }
}
