/**
 * Runs work on one name in sequence, in the order of calls; other names do not wait.
 */
export class NameQueue {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * @returns what `work` returns. Work must not take a turn of the same name: it would wait for
   *   itself.
   */
  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(work);
    const ended = turn.then(
      () => {},
      () => {},
    );
    this.#last.set(name, ended);
    void ended.then(() => {
      if (this.#last.get(name) === ended) this.#last.delete(name);
    });
    return turn;
  }
}
