import { AppError } from "../../errors.js";
import type { CoreQuery, CoreResult } from "./core-types.js";
import { isPlain } from "./search-plan.js";

/** A query and the space that its caller expects the collection to have. */
export interface QueuedQuery {
  query: CoreQuery;
  space: string | undefined;
}

interface Call {
  name: string;
  space: string | undefined;
  queries: readonly CoreQuery[];
  /** Queries that were taken into a group. */
  taken: number;
  results: CoreResult[];
  resolve: (results: CoreResult[]) => void;
  reject: (error: unknown) => void;
}

export interface Answerer {
  /** How many plain queries of a collection are answered in one go. */
  groupSize(name: string): number;
  /** An error stands for the query that failed. */
  answer(name: string, queries: readonly QueuedQuery[]): (CoreResult | Error)[];
}

/**
 * The queries of all callers. Plain ones that wait for the same collection are answered together, since a scan can serve
 * several; callers take turns, one query each, and between groups other work gets its turn.
 */
export class SearchQueue {
  readonly #answerer: Answerer;
  #calls: Call[] = [];

  constructor(answerer: Answerer) {
    this.#answerer = answerer;
  }

  /** @returns results in the order of the queries; the first error of one of them fails the call. */
  search(name: string, queries: readonly CoreQuery[], space?: string): Promise<CoreResult[]> {
    if (queries.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#calls.push({ name, space, queries, taken: 0, results: [], resolve, reject });
      if (this.#calls.length === 1) setImmediate(() => this.#answerNext());
    });
  }

  #answerNext(): void {
    const [first] = this.#calls;
    try {
      this.#answerGroup(first);
    } catch (error) {
      this.#end(first, () => first.reject(error));
    }
    if (this.#calls.length > 0) setImmediate(() => this.#answerNext());
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
    // Whoever had a turn waits behind those who had none: callers of other collections, and queries that are not plain.
    const served = new Set(group.map(({ call }) => call));
    this.#calls = [...this.#calls.filter((call) => !served.has(call)), ...served];
    const entries = group.map(({ call, position }) => ({
      query: call.queries[position],
      space: call.space,
    }));
    for (const [i, result] of this.#answerer.answer(first.name, entries).entries()) {
      const { call, position } = group[i];
      if (result instanceof Error)
        this.#end(call, () => call.reject(placed(result, call, position)));
      else call.results[position] = result;
    }
    for (const call of calls)
      if (call.taken === call.queries.length) this.#end(call, () => call.resolve(call.results));
  }

  #end(call: Call, settle: () => void): void {
    if (!this.#calls.includes(call)) return;
    this.#calls = this.#calls.filter((other) => other !== call);
    settle();
  }
}

/** Of several queries `param` says which one is at fault, as query-codec.ts does: `queries[1].item_id`. */
function placed(error: Error, { queries }: Call, position: number): Error {
  const isOfQuery = error instanceof AppError && error.param !== "collection";
  return isOfQuery && queries.length > 1 ? error.within(`queries[${position}]`) : error;
}
