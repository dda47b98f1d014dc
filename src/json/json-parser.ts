import { JsonCounts, JsonError, jsonLimits } from "./json-limits.js";
import { JsonNumberReader } from "./json-number.js";
import { JsonStringReader } from "./json-string.js";
import { type Level, levelsPath, put } from "./level.js";
import { NumberRunReader } from "./number-run.js";

type Expected = "value" | "value or ]" | "key" | "key or }" | "colon" | "comma or end" | "nothing";

/** Bytes between two checks of the clock: some tenths of a millisecond. */
const bytesBetweenChecks = 4096;

/**
 * JSON.parse with limits, in slices, and without its silent losses: a key that appears twice, an
 * unpaired surrogate, and a whole number that does not fit into a double are refused. In metadata a
 * number that would not round-trip becomes an InexactNumber, and unpaired surrogates are left to
 * the item check, so that a bad item fails alone.
 *
 * The bytes must be valid UTF-8. Decision 0060 says why this is not JSON.parse.
 */
export class JsonParser {
  readonly #bytes: Buffer;
  readonly #strings: JsonStringReader;
  readonly #numbers: JsonNumberReader;
  readonly #runs: NumberRunReader;
  readonly #levels: Level[] = [];
  #top: Level | undefined;
  #at = 0;
  #expected: Expected = "value";
  #inString = false;
  readonly #counts = new JsonCounts();
  readonly #isMetadata: boolean;
  /** The value, once `run` has returned true. */
  value: unknown;

  /** @param isMetadata  whether the text is an item's metadata. */
  constructor(bytes: Uint8Array, isMetadata = false) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#strings = new JsonStringReader(this.#bytes);
    this.#numbers = new JsonNumberReader(this.#bytes);
    this.#runs = new NumberRunReader(this.#bytes);
    this.#isMetadata = isMetadata;
  }

  /** Memory that the values take so far, besides the text. */
  get heldBytes(): number {
    return this.#counts.bytes;
  }

  /**
   * Parses until the end or `until` (of performance.now()).
   * @returns whether it reached the end.
   * @throws JsonError.
   */
  run(until: number): boolean {
    for (let nextCheck = this.#at + bytesBetweenChecks; this.#step(); ) {
      if (this.#at < nextCheck && !this.#inString) continue;
      if (performance.now() >= until) return false;
      nextCheck = this.#at + bytesBetweenChecks;
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
      const stop = this.#at + 1024; // megabytes of spaces take many steps
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
      case "value":
        if (byte === 0x5d && this.#expected === "value or ]") this.#close();
        else this.#value(byte);
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
    else if (byte === 0x7b) this.#open(undefined, "key or }");
    else if (byte === 0x5b) this.#open([], "value or ]");
    else if (byte === 0x74) this.#literal("true", true);
    else if (byte === 0x66) this.#literal("false", false);
    else if (byte === 0x6e) this.#literal("null", null);
    else throw this.#unexpected();
  }

  #number(): void {
    const start = this.#at;
    const array = this.#top?.array;
    if (array !== undefined && !this.#top!.isMetadata) {
      const run = this.#runs.read(start);
      if (run !== undefined) {
        this.#counts.addNumbers(run.length);
        if (array.length === 0) this.#top!.array = run;
        else for (const value of run) array.push(value);
        this.#at = this.#runs.end;
        this.#expected = "comma or end";
        return;
      }
    }
    const numbers = this.#numbers;
    const value = numbers.read(start);
    if (value === undefined) throw this.#unexpected();
    this.#at = numbers.end;
    if (array === undefined) this.#counts.addValue();
    else this.#counts.addNumbers(1);
    if (numbers.mayBeInexact) this.#emit(numbers.exact(this.#isInMetadata(), () => this.#path()));
    else this.#emit(value);
  }

  #isInMetadata(): boolean {
    return this.#top?.isMetadata ?? this.#isMetadata;
  }

  #literal(text: string, value: unknown): void {
    for (let i = 1; i < text.length; i++) {
      if (this.#bytes[this.#at + i] !== text.charCodeAt(i)) throw this.#unexpected();
    }
    this.#at += text.length;
    this.#counts.addValue();
    this.#emit(value);
  }

  #string(): void {
    const text = this.#strings.begin(this.#at + 1);
    this.#inString = text === undefined;
    if (text !== undefined) this.#at = this.#strings.end;
    if (text === undefined) this.#continueString();
    else this.#text(text);
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
    if (strings.hadEscapes && !this.#isInMetadata() && !text.isWellFormed()) {
      throw new JsonError("an unpaired surrogate in a string", this.#path());
    }
    this.#text(text);
  }

  /** A string is a key or a value. */
  #text(text: string): void {
    if (this.#expected !== "key" && this.#expected !== "key or }") {
      this.#counts.addValue();
      this.#emit(text);
      return;
    }
    const top = this.#top!;
    if (Object.hasOwn(top.object!, text)) {
      throw new JsonError(`the key "${text}" appears twice`, this.#path(text));
    }
    if (++top.keys > jsonLimits.keys) {
      throw JsonError.tooLarge("keys", (limit) => `has an object of more than ${limit} keys`);
    }
    top.key = text;
    this.#expected = "colon";
  }

  #open(array: unknown[] | undefined, expected: Expected): void {
    if (this.#levels.length === jsonLimits.depth) {
      throw JsonError.tooLarge("depth", (limit) => `is nested deeper than ${limit} levels`);
    }
    this.#counts.addValue();
    const parent = this.#top;
    const isMetadata =
      parent === undefined ? this.#isMetadata : parent.isMetadata || parent.key === "metadata";
    const object = array === undefined ? {} : undefined;
    this.#top = { array, object, key: "", keys: 0, isMetadata };
    this.#levels.push(this.#top);
    this.#at++;
    this.#expected = expected;
  }

  #close(): void {
    const { array, object } = this.#levels.pop()!;
    this.#top = this.#levels.at(-1);
    this.#at++;
    this.#emit(array ?? object);
  }

  #comma(byte: number): void {
    const inArray = this.#top!.array !== undefined;
    if (byte === 0x2c) {
      this.#at++;
      this.#expected = inArray ? "value" : "key";
    } else if (byte === (inArray ? 0x5d : 0x7d)) this.#close();
    else throw this.#unexpected();
  }

  /** Adds a value that has been read to its parent. */
  #emit(value: unknown): void {
    const top = this.#top;
    this.#expected = top === undefined ? "nothing" : "comma or end";
    if (top === undefined) this.value = value;
    else put(top, value);
  }

  #unexpected(): JsonError {
    const rest = this.#bytes.toString("utf8", this.#at, this.#at + 12);
    if (/^-?(NaN|Infinity)/.test(rest)) {
      return new JsonError("NaN and Infinity are not JSON", this.#path());
    }
    return new JsonError(`unexpected ${JSON.stringify(rest.slice(0, 8))} at byte ${this.#at}`);
  }

  /** Of the current value; `key` is one that has just been read. */
  #path(key?: string): string {
    return levelsPath(this.#levels, key);
  }
}
