/** Characters and ids that are cached: those of a few requests. */
const maxSize = 2 ** 20;

/**
 * Token ids of recent texts: counting a request's tokens needs the ids that its encoder has just
 * computed. The oldest are dropped.
 */
export class RecentRows {
  readonly #rows = new Map<string, number[]>();
  #size = 0;

  get(text: string): number[] | undefined {
    return this.#rows.get(text);
  }

  add(text: string, row: number[]): void {
    if (this.#rows.has(text)) return;
    this.#rows.set(text, row);
    this.#size += text.length + row.length;
    for (const [oldest, { length }] of this.#rows) {
      if (this.#size <= maxSize) return;
      this.#rows.delete(oldest);
      this.#size -= oldest.length + length;
    }
  }
}
