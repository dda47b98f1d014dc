import { AppError } from "../../errors.js";
import { tooLargeAnswer } from "../answer-size.js";
import type { CoreQuery, CoreResult } from "../core-query.js";
import { isPlain } from "./search-plan.js";

/** A query, and what its caller expects. */
export interface QueuedQuery {
  query: CoreQuery;
  /** Of the collection. */
  space: string | undefined;
  /** Most bytes of the answer. */
  maxBytes: number;
}

export interface SearchCallOptions {
  space?: string;
  /** The key by which `cancel` finds the call. */
  id?: number;
  /** Most bytes of all answers together, as JSON. */
  maxBytes?: number;
}

/** Most waiting calls; admission lets fewer through (media/budget.ts). */
const maxCalls = 1024;

interface Call extends SearchCallOptions {
  name: string;
  queries: readonly CoreQuery[];
  maxBytes: number;
  /** Queries taken into a group. */
  taken: number;
  results: CoreResult[];
  resolve: (results: CoreResult[]) => void;
  reject: (error: unknown) => void;
}

export interface Answerer {
  /** How many plain queries of a collection are answered in one go. */
  groupSize(name: string): number;
  /** An error in place of the result of a failed query. */
  answer(name: string, queries: readonly QueuedQuery[]): (CoreResult | Error)[];
}

/**
 * The queries of all callers. Plain ones waiting for the same collection are answered together,
 * since they can share a scan; callers take turns, one query each, and other work runs between
 * groups.
 */
export class SearchQueue {
  readonly #answerer: Answerer;
  #calls: Call[] = [];
  #isScheduled = false;

  constructor(answerer: Answerer) {
    this.#answerer = answerer;
  }

  /**
   * @returns results in the order of the queries; the first error fails the call.
   * @throws AppError `overloaded`; `too_large` when the answers are larger than `maxBytes`
   *   together.
   */
  async search(
    name: string,
    queries: readonly CoreQuery[],
    { maxBytes = Number.POSITIVE_INFINITY, ...options }: SearchCallOptions = {},
  ): Promise<CoreResult[]> {
    if (queries.length === 0) return [];
    if (this.#calls.length >= maxCalls) {
      const message = `${maxCalls} searches are already waiting; try again in 1 s`;
      throw new AppError("overloaded", message, { retryAfterSeconds: 1 });
    }
    return new Promise((resolve, reject) => {
      const call = { ...options, name, queries, maxBytes, taken: 0, results: [], resolve, reject };
      this.#calls.push(call);
      this.#schedule();
    });
  }

  /** Drops a call whose client is gone: its unanswered queries are not started. */
  cancel(id: number): void {
    const call = this.#calls.find((other) => other.id === id);
    const gone = new AppError("cancelled", "The request was cancelled");
    if (call !== undefined) this.#end(call, () => call.reject(gone));
  }

  #schedule(): void {
    if (this.#isScheduled || this.#calls.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const first = this.#calls.at(0); // none when all were cancelled meanwhile
      try {
        if (first !== undefined) this.#answerGroup(first);
      } catch (error) {
        this.#end(first!, () => first!.reject(error));
      }
      this.#schedule();
    });
  }

  #answerGroup(first: Call): void {
    const alone = !isPlain(first.queries[first.taken]);
    const size = alone ? 1 : this.#answerer.groupSize(first.name);
    const calls = alone ? [first] : this.#calls.filter((call) => call.name === first.name);
    const group: { call: Call; position: number }[] = [];
    for (let before = -1; group.length < size && before < group.length; ) {
      before = group.length;
      for (const call of calls) {
        if (group.length === size || call.taken === call.queries.length) continue;
        if (alone || isPlain(call.queries[call.taken]))
          group.push({ call, position: call.taken++ });
      }
    }
    // Callers that had a turn wait behind those that had none: of other collections, and with
    // queries that are not plain.
    const served = new Set(group.map(({ call }) => call));
    this.#calls = [...this.#calls.filter((call) => !served.has(call)), ...served];
    const entries = group.map(({ call, position }) => ({
      query: call.queries[position],
      space: call.space,
      maxBytes: call.maxBytes,
    }));
    for (const [i, result] of this.#answerer.answer(first.name, entries).entries()) {
      const { call, position } = group[i];
      if (result instanceof Error)
        this.#end(call, () => call.reject(placed(result, call, position)));
      else {
        call.results[position] = result;
        call.maxBytes -= result.bytes;
        if (call.maxBytes < 0) this.#end(call, () => call.reject(tooLargeAnswer()));
      }
    }
    for (const call of calls)
      if (call.taken === call.queries.length) this.#end(call, () => call.resolve(call.results));
  }

  #end(call: Call, finish: () => void): void {
    if (!this.#calls.includes(call)) return;
    this.#calls = this.#calls.filter((other) => other !== call);
    finish();
  }
}

/**
 * With several queries, `param` says which one is at fault, as in query-codec.ts:
 * `queries[1].item_id`.
 */
function placed(error: Error, { queries }: Call, position: number): Error {
  const isOfQuery = error instanceof AppError && error.param !== "collection";
  return isOfQuery && queries.length > 1 ? error.within(`queries[${position}]`) : error;
}
