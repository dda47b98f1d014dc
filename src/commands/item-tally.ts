import { Failures } from "./failures.js";
import { LeftOutCounts } from "./left-out.js";
import { printWarnings } from "./print-warnings.js";
import { CommandError, isReported } from "./target.js";

/** What ended the work early. */
export type Interruption = Error & { code?: string };

interface Counted {
  id: string | null;
  path?: string;
  status: "stored" | "unchanged" | "updated" | "removed" | "left_out" | "failed";
  /** For skipped items. */
  what?: string;
  why?: string;
  replaced?: boolean;
  warnings?: readonly string[];
  error?: { message: string };
  /** Its line in the source. */
  line?: number;
}

interface Conclusion {
  stopped: boolean;
  interruption?: Interruption;
  further?: readonly string[];
}

/** Counts the outcomes of items, for the final summary. */
export class Tally {
  readonly #into: string;
  readonly #failures = new Failures();
  readonly #warnings: { name: string; warnings: readonly string[] }[] = [];
  #stored = 0;
  #replaced = 0;
  #unchanged = 0;
  #updated = 0;
  #removed = 0;
  readonly #leftOut = new LeftOutCounts();

  /** @param into  name of the collection. */
  constructor(into: string) {
    this.#into = into;
  }

  count({ id, path, status, replaced, warnings, error, line, what, why }: Counted): void {
    if (warnings !== undefined) this.#warnings.push({ name: path ?? id ?? "an item", warnings });
    if (status === "stored") {
      this.#stored++;
      if (replaced === true) this.#replaced++;
    } else if (status === "unchanged") this.#unchanged++;
    else if (status === "updated") this.#updated++;
    else if (status === "removed") this.#removed++;
    else if (status === "left_out") this.#leftOut.add({ what: what ?? "files", why });
    else {
      const name = path ?? id ?? (line === undefined ? "an item without id" : `line ${line}`);
      this.#failures.add(name, error?.message ?? "failed");
    }
  }

  /** `photos: 980 stored (12 replaced), 20 unchanged, 3 failed; left out: 45 other files`. */
  summary(): string {
    const parts = [
      `${this.#stored} stored${this.#replaced > 0 ? ` (${this.#replaced} replaced)` : ""}`,
    ];
    if (this.#updated > 0) parts.push(`${this.#updated} with changed metadata`);
    if (this.#unchanged > 0) parts.push(`${this.#unchanged} unchanged`);
    if (this.#removed > 0) parts.push(`${this.#removed} removed, since their files are gone`);
    if (this.#failures.count > 0) parts.push(`${this.#failures.count} failed`);
    if (this.#warnings.length > 0) parts.push(`${this.#warnings.length} with warnings`);
    const leftOut = this.#leftOut.text();
    const others = leftOut === undefined ? "" : `; left out: ${leftOut}`;
    return `${this.#into}: ${parts.join(", ")}${others}`;
  }

  /**
   * Finishes the work: prints the warnings, and returns if everything succeeded.
   * @param work.stopped  whether it was stopped early.
   * @param work.interruption  what ended it early.
   * @param work.further  what else went wrong.
   * @throws CommandError with a line for each failure, then for what ended the work.
   */
  conclude({ stopped, interruption, further = [] }: Conclusion): void {
    for (const { name, warnings } of this.#warnings) printWarnings(warnings, name);
    const lines = [...this.#failures.lines(), ...further];
    if (interruption !== undefined) lines.push(interruption.message);
    else if (stopped)
      lines.push(
        "stopped; items reported as stored are safe, and the same command continues from there",
      );
    if (lines.length > 0)
      throw new CommandError(lines.join("\ncrossmodal: "), { code: interruption?.code });
  }
}

/**
 * Runs work that reports to a tally; an error that ends it is returned, to be printed after the
 * failures.
 */
export async function untilInterrupted(
  work: () => Promise<void>,
): Promise<Interruption | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isReported(error)) return error;
    throw error;
  }
}
