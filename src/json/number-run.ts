import { pieceBytes } from "./json-limits.js";

const comma = 0x2c;
const closingBracket = 0x5d;

/** Fewer bytes are faster number by number. */
const minBytes = 48;

/** Reads the numbers of an array many at a time, by JSON.parse. */
export class NumberRunReader {
  readonly #bytes: Buffer;
  /** The next closing bracket; cached, so that no byte is read twice. */
  #bracket = -1;
  /** Everything before it was tried. */
  #triedUntil = 0;
  /** The position after the last numbers read: at a comma or the closing bracket. */
  end = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * The numbers from `start`, up to the end of the array or of a piece of it.
   *
   * @returns undefined when they must be read one by one: too few, not only numbers, not JSON, or
   *   one may change (beyond what a double holds).
   */
  read(start: number): number[] | undefined {
    if (start < this.#triedUntil) return undefined;
    const bytes = this.#bytes;
    if (this.#bracket < start) {
      const found = bytes.indexOf(closingBracket, start);
      this.#bracket = found < 0 ? bytes.length : found;
    }
    let end = this.#bracket;
    if (end - start > pieceBytes) end = bytes.lastIndexOf(comma, start + pieceBytes);
    if (end - start < minBytes) {
      this.#triedUntil = this.#bracket;
      return undefined;
    }
    const text = bytes.toString("latin1", start, end);
    const numbers = parseNumbers(text);
    if (numbers === undefined) this.#triedUntil = end;
    this.end = end;
    return numbers;
  }
}

function parseNumbers(text: string): number[] | undefined {
  let values: unknown[];
  try {
    values = JSON.parse(`[${text}]`);
  } catch {
    return undefined;
  }
  let hasZero = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== "number") return undefined;
    if (!(value < 2 ** 53 && value > -(2 ** 53))) return undefined;
    if (value === 0) hasZero = true;
  }
  // Below the smallest double are only numbers with such an exponent, or as many zeros.
  if (hasZero && /e-\d{3}|0{100}/i.test(text)) return undefined;
  return values as number[];
}
