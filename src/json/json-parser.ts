import { comesBack, InexactNumber, JsonNumberReader } from "./json-number.js";
import { JsonStringReader } from "./json-string.js";

/** What a JSON text may hold; checked while it is parsed. */
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

/** Why a text is refused. */
export class JsonError extends Error {
  /** Where, as it is spelled on the wire: `items[2].metadata.size`; empty for a text that is no JSON. */
  readonly path: string;
  /** The text may be JSON, but has more than a limit allows. */
  readonly tooLarge: boolean;

  constructor(message: string, path = "", tooLarge = false) {
    super(message);
    this.path = path;
    this.tooLarge = tooLarge;
  }
}

interface Level {
  container: unknown[] | Record<string, unknown>;
  /** Of the member that is read. */
  key: string;
  keys: number;
  /** Within an item's metadata, which has to come back as it was written. */
  isMetadata: boolean;
}

type Expected = "value" | "value or ]" | "key" | "key or }" | "colon" | "comma or end" | "nothing";

/** Strings up to this length are read here, longer ones by JsonStringReader. */
const shortBytes = 64;
const stepsBetweenLooks = 200;

/**
 * JSON.parse with limits, in slices, and without its silent losses: a key that appears twice, half
 * of a surrogate pair, and a whole number that a double cannot hold are refused. In metadata a number
 * that would come back changed becomes an InexactNumber, and halves of surrogate pairs are left to
 * the check of the item, so that one bad item costs one item.
 *
 * The bytes have to be valid UTF-8. Decision 0060 says why this is not JSON.parse.
 */
export class JsonParser {
  readonly #bytes: Buffer;
  readonly #strings: JsonStringReader;
  readonly #numbers: JsonNumberReader;
  readonly #levels: Level[] = [];
  #top: Level | undefined;
  #at = 0;
  #expected: Expected = "value";
  #inString = false;
  #values = 0;
  #numbersInArrays = 0;
  readonly #isMetadata: boolean;
  /** The value, once `run` has returned true. */
  value: unknown;

  /** @param isMetadata  whether the text is an item's metadata. */
  constructor(bytes: Uint8Array, isMetadata = false) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#strings = new JsonStringReader(this.#bytes);
    this.#numbers = new JsonNumberReader(this.#bytes);
    this.#isMetadata = isMetadata;
  }

  /**
   * Parses until the end or `until` (of performance.now()).
   * @returns whether it has come to the end.
   * @throws JsonError.
   */
  run(until: number): boolean {
    for (let steps = 1; this.#step(); steps++) {
      if (steps % stepsBetweenLooks === 0 && performance.now() >= until) return false;
      if (this.#inString && performance.now() >= until) return false;
    }
    return true;
  }

  /** @returns false at the end. */
  #step(): boolean {
    if (this.#inString) {
      this.#continueString();
      return true;
    }
    const bytes = this.#bytes;
    let byte = bytes[this.#at];
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      const stop = this.#at + 1024; // megabytes of spaces are taken in many steps
      while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
        byte = bytes[++this.#at];
        if (this.#at === stop) return true;
      }
    }
    if (byte === undefined) {
      if (this.#expected === "nothing") return false;
      throw new JsonError("it ends too early");
    }
    switch (this.#expected) {
      case "value or ]":
        if (byte === 0x5d) this.#close();
        else this.#value(byte);
        return true;
      case "value":
        this.#value(byte);
        return true;
      case "comma or end":
        this.#comma(byte);
        return true;
      case "key or }":
      case "key":
        if (byte === 0x22) this.#string();
        else if (byte === 0x7d && this.#expected === "key or }") this.#close();
        else throw this.#unexpected();
        return true;
      case "colon":
        if (byte !== 0x3a) throw this.#unexpected();
        this.#at++;
        this.#expected = "value";
        return true;
      default:
        throw this.#unexpected();
    }
  }

  #value(byte: number): void {
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) this.#number();
    else if (byte === 0x22) this.#string();
    else if (byte === 0x7b) this.#open({}, "key or }");
    else if (byte === 0x5b) this.#open([], "value or ]");
    else if (byte === 0x74) this.#literal("true", true);
    else if (byte === 0x66) this.#literal("false", false);
    else if (byte === 0x6e) this.#literal("null", null);
    else throw this.#unexpected();
  }

  #number(): void {
    const start = this.#at;
    const numbers = this.#numbers;
    const value = numbers.read(start);
    if (value === undefined) throw this.#unexpected();
    this.#at = numbers.end;
    const inArray = Array.isArray(this.#top?.container);
    if (inArray && ++this.#numbersInArrays > jsonLimits.numbers) {
      const most = jsonLimits.numbers.toLocaleString("en");
      throw this.#tooLarge(`has more than ${most} numbers; send them as .npy files or NDJSON`);
    }
    if (numbers.isLong || numbers.isOutOfRange) {
      const isMetadata = this.#top?.isMetadata ?? this.#isMetadata;
      const text = this.#bytes.toString("latin1", start, numbers.end);
      const matters = isMetadata || numbers.isInteger || numbers.isOutOfRange;
      if (matters && !comesBack(text, value)) {
        if (isMetadata) {
          this.#emit(new InexactNumber(text), inArray);
          return;
        }
        const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
        throw new JsonError(`${shown} is a number that a double cannot hold`, this.#path());
      }
    }
    this.#emit(value, inArray);
  }

  #literal(text: string, value: unknown): void {
    for (let i = 1; i < text.length; i++) {
      if (this.#bytes[this.#at + i] !== text.charCodeAt(i)) throw this.#unexpected();
    }
    this.#at += text.length;
    this.#emit(value);
  }

  #string(): void {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    const stop = Math.min(start + shortBytes, bytes.length);
    let isAscii = true;
    for (let at = start; at < stop; at++) {
      const byte = bytes[at];
      if (byte === 0x22) {
        this.#at = at + 1;
        const text = isAscii
          ? bytes.toString("latin1", start, at)
          : bytes.toString("utf8", start, at);
        this.#text(text);
        return;
      }
      if (byte === 0x5c || byte < 0x20) break;
      if (byte >= 0x80) isAscii = false;
    }
    this.#strings.begin(start);
    this.#inString = true;
    this.#continueString();
  }

  #continueString(): void {
    const strings = this.#strings;
    let text: string | undefined;
    try {
      text = strings.step();
    } catch (error) {
      throw new JsonError((error as Error).message, this.#path());
    }
    if (text === undefined) return;
    this.#inString = false;
    this.#at = strings.end;
    const isMetadata = this.#top?.isMetadata ?? this.#isMetadata;
    if (strings.hadEscapes && !isMetadata && !text.isWellFormed()) {
      throw new JsonError("half of a surrogate pair in a string", this.#path());
    }
    this.#text(text);
  }

  /** A string is a key or a value. */
  #text(text: string): void {
    if (this.#expected !== "key" && this.#expected !== "key or }") {
      this.#emit(text);
      return;
    }
    const top = this.#top!;
    if (Object.hasOwn(top.container, text)) {
      throw new JsonError(`the key "${text}" appears twice`, this.#path(text));
    }
    if (++top.keys > jsonLimits.keys) {
      throw this.#tooLarge(
        `has an object of more than ${jsonLimits.keys.toLocaleString("en")} keys`,
      );
    }
    top.key = text;
    this.#expected = "colon";
  }

  #open(container: Level["container"], expected: Expected): void {
    if (this.#levels.length === jsonLimits.depth) {
      throw this.#tooLarge(`is nested deeper than ${jsonLimits.depth.toLocaleString("en")} levels`);
    }
    const parent = this.#top;
    const isMetadata =
      parent === undefined ? this.#isMetadata : parent.isMetadata || parent.key === "metadata";
    this.#emit(container);
    this.#top = { container, key: "", keys: 0, isMetadata };
    this.#levels.push(this.#top);
    this.#at++;
    this.#expected = expected;
  }

  #close(): void {
    this.#at++;
    this.#levels.pop();
    this.#top = this.#levels.at(-1);
    this.#expected = this.#top === undefined ? "nothing" : "comma or end";
  }

  #comma(byte: number): void {
    const inArray = Array.isArray(this.#top!.container);
    if (byte === 0x2c) {
      this.#at++;
      this.#expected = inArray ? "value" : "key";
    } else if (byte === (inArray ? 0x5d : 0x7d)) this.#close();
    else throw this.#unexpected();
  }

  /** Puts a value where it belongs. */
  #emit(value: unknown, isNumberOfArray = false): void {
    if (!isNumberOfArray && ++this.#values > jsonLimits.values) {
      const most = jsonLimits.values.toLocaleString("en");
      throw this.#tooLarge(`has more than ${most} values; send fewer at once`);
    }
    const top = this.#top;
    this.#expected = top === undefined ? "nothing" : "comma or end";
    if (top === undefined) this.value = value;
    else if (Array.isArray(top.container)) top.container.push(value);
    else if (top.key === "__proto__") {
      const property = { value, enumerable: true, configurable: true, writable: true };
      Object.defineProperty(top.container, top.key, property);
    } else top.container[top.key] = value;
  }

  #tooLarge(what: string): JsonError {
    return new JsonError(what, "", true);
  }

  #unexpected(): JsonError {
    const rest = this.#bytes.toString("utf8", this.#at, this.#at + 12);
    if (/^-?(NaN|Infinity)/.test(rest)) {
      return new JsonError("NaN and Infinity are not JSON", this.#path());
    }
    return new JsonError(`unexpected ${JSON.stringify(rest.slice(0, 8))} at byte ${this.#at}`);
  }

  /** Of what is read now. */
  #path(key?: string): string {
    let path = "";
    for (const level of this.#levels) {
      if (Array.isArray(level.container))
        path += `[${level.container.length - (level === this.#top ? 0 : 1)}]`;
      else {
        const name = level === this.#top && key !== undefined ? key : level.key;
        path += path === "" ? name : `.${name}`;
      }
    }
    return path;
  }
}
