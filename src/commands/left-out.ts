import type { LeftOut } from "./file-item.js";

/** How many files were left out, by what they are and why. */
export class LeftOutCounts {
  readonly #counts = new Map<string, LeftOut & { count: number }>();

  add({ what, why }: LeftOut): void {
    const key = `${what}, ${why}`;
    const counted = this.#counts.get(key);
    if (counted === undefined) this.#counts.set(key, { what, why, count: 1 });
    else counted.count++;
  }

  /** `1 sound (starter-clip does not embed them), 45 other files`; undefined when none was. */
  text(): string | undefined {
    if (this.#counts.size === 0) return undefined;
    const parts = [...this.#counts.values()].map(({ what, why, count }) => {
      const files = count === 1 ? what.replace(/s$/, "") : what;
      return `${count} ${files}${why === undefined ? "" : ` (${why})`}`;
    });
    return parts.join(", ");
  }
}
