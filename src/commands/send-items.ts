import { ConnectionError } from "../client/errors.js";
import type { LineStatus } from "../wire/items.js";
import type { Target } from "./target.js";

export interface SendItemsOptions {
  /** When it aborts, no further piece is sent; statuses of sent ones still arrive. */
  signal: AbortSignal;
}

/**
 * Streams items as NDJSON to a collection, as fast as they can be stored.
 * @param lines  pieces that end with a line.
 */
export async function* sendItems(
  target: Target,
  collection: string,
  lines: AsyncIterable<Uint8Array>,
  { signal }: SendItemsOptions,
): AsyncGenerator<LineStatus> {
  try {
    yield* target.addItemLines(collection, lines, { stop: signal });
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    throw new ConnectionError(`${error.message}; items reported as stored are safe`);
  }
}
