import { printable } from "./table.js";

/** Names listed for one reason, and reasons listed. */
const maxNames = 3;
const maxReasons = 200;

/** What failed and why, for any number of failures. */
export class Failures {
  readonly #reasons = new Map<string, { names: string[]; count: number; code?: string }>();
  #count = 0;
  /** Of reasons beyond those that are kept. */
  #untold = 0;

  get count(): number {
    return this.#count;
  }

  /** The code that all have in common. */
  get code(): string | undefined {
    const codes = new Set([...this.#reasons.values()].map(({ code }) => code));
    return codes.size === 1 && this.#untold === 0 ? [...codes][0] : undefined;
  }

  add(name: string, message: string, code?: string): void {
    this.#count++;
    const reason = this.#reasons.get(message);
    if (reason !== undefined) {
      reason.count++;
      if (reason.names.length < maxNames) reason.names.push(name);
    } else if (this.#reasons.size < maxReasons)
      this.#reasons.set(message, { names: [name], count: 1, code });
    else this.#untold++;
  }

  /** A line for each, but of many with the same reason only the first. */
  lines(): string[] {
    const lines = [...this.#reasons].flatMap(([message, { names, count }]) => {
      const named = names.map((name) =>
        printable(isNamed(message, name) ? message : `${name}: ${message}`),
      );
      const others = count - names.length;
      return others === 0 ? named : [...named, `${others} more: ${printable(message)}`];
    });
    return this.#untold === 0 ? lines : [...lines, `${this.#untold} more, for other reasons`];
  }
}

/** `Line 3 is no JSON` names line 3. */
const isNamed = (message: string, name: string) =>
  message.toLowerCase().startsWith(name.toLowerCase());
