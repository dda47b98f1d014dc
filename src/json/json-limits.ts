/** Limits of a JSON text, checked while it is parsed. */
export const jsonLimits = {
  /** Levels of arrays and objects. */
  depth: 2000,
  /** Values other than the numbers of arrays: strings, literals, objects, arrays, members. */
  values: 500_000,
  /** Numbers in arrays: 64 MiB of embeddings at 8 characters a number. */
  numbers: 8 * 2 ** 20,
  /** Keys of one object. */
  keys: 10_000,
};

/** The most that is read without interruption: about a millisecond. */
export const pieceBytes = 2 ** 16;

/** Why a text is refused. */
export class JsonError extends Error {
  /**
   * Where, as it is spelled on the wire: `items[2].metadata.size`; empty for a text that is not
   * JSON.
   */
  readonly path: string;
  /** The text may be JSON, but has more than a limit allows. */
  readonly tooLarge: boolean;

  constructor(message: string, path = "", tooLarge = false) {
    super(message);
    this.path = path;
    this.tooLarge = tooLarge;
  }

  /** @param message  gets the formatted limit: `has more than 8,388,608 numbers`. */
  static tooLarge(limit: keyof typeof jsonLimits, message: (limit: string) => string): JsonError {
    return new JsonError(message(jsonLimits[limit].toLocaleString("en")), "", true);
  }
}

/** A small string, an empty object or array, or a member with its value, and its place. */
const bytesPerValue = 64;
const bytesPerNumber = 8;

/** Counts the values of a text. */
export class JsonCounts {
  #values = 0;
  #numbers = 0;

  /** Memory that the values take, about; of long strings only what they take beyond their text. */
  get bytes(): number {
    return bytesPerValue * this.#values + bytesPerNumber * this.#numbers;
  }

  /** @throws JsonError beyond the limit, as `addNumbers` does. */
  addValue(): void {
    if (++this.#values <= jsonLimits.values) return;
    throw JsonError.tooLarge(
      "values",
      (limit) => `has more than ${limit} values; send fewer at once`,
    );
  }

  /** Numbers of an array. */
  addNumbers(count: number): void {
    this.#numbers += count;
    if (this.#numbers <= jsonLimits.numbers) return;
    throw JsonError.tooLarge(
      "numbers",
      (limit) => `has more than ${limit} numbers; send them as .npy files or NDJSON`,
    );
  }
}
