/**
 * A queue in which callers take turns: each has one entry taken, then waits behind the others.
 * So a caller with thousands of entries holds up nobody for longer than one turn.
 */
export class Turns<T> {
  /** In the order of their turns; a caller without entries is not in it. */
  readonly #entries = new Map<unknown, T[]>();
  #size = 0;

  /** Entries of all callers. */
  get size(): number {
    return this.#size;
  }

  /** @param caller  identifies the caller: compared by identity. */
  add(caller: unknown, entry: T): void {
    const entries = this.#entries.get(caller);
    if (entries === undefined) this.#entries.set(caller, [entry]);
    else entries.push(entry);
    this.#size++;
  }

  /** The entry that `take` would return. */
  get first(): T | undefined {
    for (const [entry] of this.#entries.values()) return entry;
    return undefined;
  }

  /** Takes the oldest entry of the caller whose turn it is. */
  take(): T | undefined {
    for (const [caller, entries] of this.#entries) {
      const entry = entries.shift();
      this.#size--;
      this.#entries.delete(caller); // and back in at the end
      if (entries.length > 0) this.#entries.set(caller, entries);
      return entry;
    }
    return undefined;
  }

  /** Removes the entries of a caller for which `isGone` is true. */
  remove(caller: unknown, isGone: (entry: T) => boolean): void {
    const entries = this.#entries.get(caller) ?? [];
    const left = entries.filter((entry) => !isGone(entry));
    this.#size -= entries.length - left.length;
    if (left.length > 0) this.#entries.set(caller, left);
    else this.#entries.delete(caller);
  }
}
