const quoteByte = 0x22;
const backslashByte = 0x5c;

/** Decoded in one go: some milliseconds, even where every character is escaped. */
const pieceBytes = 2 ** 18;

/** Reads the strings of a JSON text that are long or have escapes, a piece at a time. */
export class JsonStringReader {
  readonly #bytes: Buffer;
  #parts: string[] = [];
  #from = 0;
  // The next of each at or after the place that is read; kept, so that no byte is looked at twice.
  #quote = -1;
  #backslash = -1;
  /** Whether the string that was read last has escapes. */
  hadEscapes = false;
  /** After the closing quote of the string that was read last. */
  end = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @param from  after the opening quote. */
  begin(from: number): void {
    this.#from = from;
    this.#parts = [];
    this.hadEscapes = false;
  }

  /**
   * @returns the string when it is whole, else undefined: call it again.
   * @throws SyntaxError when it does not end, or for a control character or an unknown escape.
   */
  step(): string | undefined {
    const bytes = this.#bytes;
    const from = this.#from;
    let at = from; // never inside an escape
    for (;;) {
      if (this.#quote < at) this.#quote = indexOf(bytes, quoteByte, at);
      if (this.#backslash < at) this.#backslash = indexOf(bytes, backslashByte, at);
      const next = Math.min(this.#quote, this.#backslash);
      if (next - from > pieceBytes) {
        let cut = Math.max(at, from + pieceBytes);
        while (cut > at && (bytes[cut] & 0xc0) === 0x80) cut--; // inside a character
        return this.#take(from, cut);
      }
      if (next === bytes.length) throw new SyntaxError("a string does not end");
      if (this.#quote < this.#backslash) {
        this.#take(from, this.#quote);
        this.end = this.#quote + 1;
        return this.#parts.length === 1 ? this.#parts[0] : this.#parts.join("");
      }
      this.hadEscapes = true;
      at = this.#backslash + (bytes[this.#backslash + 1] === 0x75 ? 6 : 2); // \u00e9 or \n
    }
  }

  #take(from: number, to: number): undefined {
    this.#parts.push(JSON.parse(`"${this.#bytes.toString("utf8", from, to)}"`));
    this.#from = to;
  }
}

/** As `Buffer.indexOf`, but the length where there is none. */
function indexOf(bytes: Buffer, byte: number, from: number): number {
  const found = bytes.indexOf(byte, from);
  return found < 0 ? bytes.length : found;
}
