/**
 * Work in progress, so that whatever it may still use is freed only after it: requests, groups of a
 * stream and jobs.
 */
export class Activity {
  readonly #underWay = new Set<Promise<unknown>>();

  async during<T>(work: Promise<T>): Promise<T> {
    const ended = work.then(
      () => undefined,
      () => undefined,
    );
    this.#underWay.add(ended);
    try {
      return await work;
    } finally {
      this.#underWay.delete(ended);
    }
  }

  /** Resolves when everything that began before this call has ended. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
