import type { Rank } from "./core-query.js";

export interface Hit extends Rank {
  position: number;
}

/** Whether `a` comes before `b`. */
function ranksBefore(a: Rank, b: Rank): boolean {
  return a.similarity > b.similarity || (a.similarity === b.similarity && a.row < b.row);
}

/**
 * Collects the first K hits of a ranking, optionally after a given rank and with a least
 * similarity.
 */
export class TopK {
  readonly k: number;
  readonly #after: Rank | undefined;
  readonly #minSimilarity: number;
  /** A binary heap with the worst hit at the root. */
  readonly #heap: Hit[] = [];

  constructor(k: number, options: { after?: Rank; minSimilarity?: number } = {}) {
    this.k = k;
    this.#after = options.after;
    this.#minSimilarity = options.minSimilarity ?? Number.NEGATIVE_INFINITY;
  }

  /** A hit below this similarity can no longer enter. */
  get threshold(): number {
    return this.#heap.length < this.k
      ? this.#minSimilarity
      : Math.max(this.#minSimilarity, this.#heap[0].similarity);
  }

  offer(similarity: number, row: number, position: number): void {
    if (!(similarity >= this.threshold)) return; // also refuses NaN
    const hit = { similarity, row, position };
    if (this.#after !== undefined && !ranksBefore(this.#after, hit)) return;
    const heap = this.#heap;
    if (heap.length < this.k) {
      let child = heap.push(hit) - 1;
      while (child > 0) {
        const parent = (child - 1) >> 1;
        if (!ranksBefore(heap[parent], hit)) break;
        heap[child] = heap[parent];
        child = parent;
      }
      heap[child] = hit;
    } else if (ranksBefore(hit, heap[0])) {
      let parent = 0;
      for (;;) {
        let child = 2 * parent + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && ranksBefore(heap[child], heap[child + 1])) child++;
        if (!ranksBefore(hit, heap[child])) break;
        heap[parent] = heap[child];
        parent = child;
      }
      heap[parent] = hit;
    }
  }

  /** Best first. */
  sorted(): Hit[] {
    return [...this.#heap].sort((a, b) => (ranksBefore(a, b) ? -1 : 1));
  }
}
