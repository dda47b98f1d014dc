import { JsonError, pieceBytes } from "./json-limits.js";

/** Longer ones are not meaningful numbers. */
const maxCharacters = pieceBytes;

const powersOfTen = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`)); // all exact

/** Reads the numbers of a JSON text. */
export class JsonNumberReader {
  readonly #bytes: Buffer;
  /** The position after the last number read. */
  end = 0;
  // Of the last number read:
  #start = 0;
  #value = 0;
  /** More digits than any double keeps. */
  #isLong = false;
  #isInteger = false;
  /** Larger than the largest double, or other than 0 but smaller than the smallest. */
  #isOutOfRange = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @returns the double nearest to the number at `start`, or undefined when there is none. */
  read(start: number): number | undefined {
    const bytes = this.#bytes;
    const stop = Math.min(bytes.length, start + maxCharacters);
    let at = start;
    const negative = bytes[at] === 0x2d;
    if (negative) at++;
    let mantissa = 0;
    let digits = 0; // significant ones
    let scale = 0;
    const first = at;
    for (let digit = bytes[at] - 0x30; at < stop && digit >= 0 && digit <= 9; ) {
      mantissa = mantissa * 10 + digit;
      if (mantissa !== 0) digits++;
      digit = bytes[++at] - 0x30;
    }
    if (at === first || (bytes[first] === 0x30 && at > first + 1)) return undefined;
    this.#isInteger = true;
    if (bytes[at] === 0x2e) {
      this.#isInteger = false;
      const point = at++;
      for (let digit = bytes[at] - 0x30; at < stop && digit >= 0 && digit <= 9; ) {
        mantissa = mantissa * 10 + digit;
        if (mantissa !== 0) digits++;
        digit = bytes[++at] - 0x30;
      }
      scale = point + 1 - at;
      if (scale === 0) return undefined;
    }
    if ((bytes[at] | 0x20) === 0x65) {
      this.#isInteger = false;
      const sign = bytes[++at];
      if (sign === 0x2b || sign === 0x2d) at++;
      const from = at;
      let power = 0;
      for (let digit = bytes[at] - 0x30; at < stop && digit >= 0 && digit <= 9; ) {
        power = power * 10 + digit;
        digit = bytes[++at] - 0x30;
      }
      if (at === from) return undefined;
      scale += sign === 0x2d ? -power : power;
    }
    if (at >= start + maxCharacters) return undefined;
    this.#start = start;
    this.end = at;
    this.#isLong = digits > 15;
    this.#isOutOfRange = false;
    // Exact operands give a correctly rounded result (Clinger 1990); others are left to the engine.
    if (digits <= 15 && scale >= -22 && scale <= 22) {
      const size = scale < 0 ? mantissa / powersOfTen[-scale] : mantissa * powersOfTen[scale];
      return negative ? -size : size;
    }
    this.#value = Number(bytes.toString("latin1", start, at));
    this.#isOutOfRange = !Number.isFinite(this.#value) || (this.#value === 0 && mantissa !== 0);
    return this.#value;
  }

  /** Whether `exact` must check the last number read. */
  get mayBeInexact(): boolean {
    return this.#isLong || this.#isOutOfRange;
  }

  /**
   * @returns the last number read; in metadata an InexactNumber if it would not round-trip.
   * @throws JsonError for a whole number that does not fit into a double, and for one beyond the
   *   range of doubles.
   */
  exact(isMetadata: boolean, path: () => string): number | InexactNumber {
    if (!isMetadata && !this.#isInteger && !this.#isOutOfRange) return this.#value;
    const text = this.#bytes.toString("latin1", this.#start, this.end);
    if (roundTrips(text, this.#value)) return this.#value;
    if (isMetadata) return new InexactNumber(text);
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    throw new JsonError(`${shown} is a number that does not fit into a double`, path());
  }
}

/**
 * A number in metadata that would not round-trip; the metadata check refuses it by its text.
 */
export class InexactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Whether a number round-trips: the shortest text of the double nearest to it
 * denotes the same decimal. `1.50` and `15e-1` do, as do `0.1` and `1e300`;
 * `9007199254740993`, `1e400` and `0.12345678901234567890` do not.
 */
function roundTrips(text: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  const written = decimalOf(text);
  const kept = decimalOf(String(value));
  return written.digits === kept.digits && (written.digits === "" || written.power === kept.power);
}

/**
 * A number's text as digits x 10^power, without zeros at either end of the digits and without sign.
 */
function decimalOf(text: string): { digits: string; power: number } {
  const [, integer, fraction = "", exponent = "0"] = /^-?(\d+)\.?(\d*)(?:e(.*))?$/i.exec(text)!;
  const all = (integer + fraction).replace(/^0+/, "");
  let end = all.length;
  while (end > 0 && all.charCodeAt(end - 1) === 0x30) end--; // a regular expression is quadratic
  const power = Number(exponent) - fraction.length + all.length - end;
  return { digits: all.slice(0, end), power };
}
