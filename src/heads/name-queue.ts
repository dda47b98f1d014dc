import { folderKey } from "../files/refuse-twin.js";

/**
 * Runs work on one name in sequence, in the order of calls; other names do not wait. Names that
 * could be one folder wait for each other.
 */
export class NameQueue {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * @returns what `work` returns. Work must not take a turn of the same name: it would wait for
   *   itself.
   */
  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const key = folderKey(name);
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const ended = turn.then(
      () => {},
      () => {},
    );
    this.#last.set(key, ended);
    void ended.then(() => {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    });
    return turn;
  }
}
