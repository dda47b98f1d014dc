import { isInteractiveExpected } from "../priority.js";

/**
 * A bulk batch takes at most about this long while a request may come at any moment: that request
 * waits for the running batch.
 */
const maxBulkMs = 12;

/** A large picture alone takes a quarter more processor time than one of a pair. */
const minBatch = 2;

/** How many inputs of bulk work run together. */
export class BulkBatchSize {
  readonly #maxBatch: number;
  /** As the graph took for the last batch. */
  #msPerInput = 0;

  constructor(maxBatch: number) {
    this.#maxBatch = maxBatch;
  }

  /** @param ms  that the graph ran for a batch of `inputs`. */
  ran(ms: number, inputs: number): void {
    this.#msPerInput = ms / inputs;
  }

  get size(): number {
    if (this.#msPerInput === 0 || !isInteractiveExpected()) return this.#maxBatch;
    // A power of two: CUDA's batches are padded to one (batch-buckets.ts)
    const size = 2 ** Math.floor(Math.log2(maxBulkMs / this.#msPerInput));
    return Math.min(this.#maxBatch, Math.max(minBatch, size));
  }
}
