import { pieceBytes } from "./json-limits.js";
import { PlainBytes } from "./plain-bytes.js";

const quoteByte = 0x22;
const backslashByte = 0x5c;

/** Strings up to this length are read byte by byte. */
const shortBytes = 256;

/** Checked in one go: some tenths of a millisecond. */
const checkedBytes = 2 ** 20;

/** Reads the strings of a JSON text, long ones in many steps. */
export class JsonStringReader {
  readonly #bytes: Buffer;
  #plainBytes: PlainBytes | undefined;
  #from = 0;
  /** Whether the string may still be ASCII without escapes. */
  #isPlain = false;
  #checkedUntil = 0;
  #parts: string[] = [];
  // The next of each at or after the current position; cached, so that no byte is read twice.
  #quote = -1;
  #backslash = -1;
  /** Whether the last string read has escapes. */
  hadEscapes = false;
  /** The position after the closing quote of the last string read. */
  end = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * @param from  after the opening quote.
   * @returns the string, or undefined when it is long or has escapes: use `step` then.
   */
  begin(from: number): string | undefined {
    const bytes = this.#bytes;
    const stop = Math.min(from + shortBytes, bytes.length);
    this.hadEscapes = false;
    let bits = 0;
    for (let at = from; at < stop; at++) {
      const byte = bytes[at];
      if (byte === quoteByte) {
        this.end = at + 1;
        return bytes.toString(bits < 0x80 ? "latin1" : "utf8", from, at);
      }
      if (byte === backslashByte || byte < 0x20) break;
      bits |= byte;
    }
    this.#from = from;
    this.#isPlain = true;
    this.#checkedUntil = from;
    this.#parts = [];
    return undefined;
  }

  /**
   * @returns the string when complete, else undefined: call again.
   * @throws SyntaxError when it does not end, or for a control character or an unknown escape.
   */
  step(): string | undefined {
    this.#look(this.#from);
    return this.#isPlain ? this.#stepPlain() : this.#stepPiece();
  }

  /** For base64: scanned, then copied in one go. */
  #stepPlain(): string | undefined {
    const from = this.#from;
    const quote = this.#quote;
    if (quote > this.#backslash || quote === this.#bytes.length) return this.#notPlain();
    if (this.#checkedUntil < quote) {
      const until = Math.min(quote, this.#checkedUntil + checkedBytes);
      this.#plainBytes ??= new PlainBytes(this.#bytes);
      if (!this.#plainBytes.arePlain(this.#checkedUntil, until)) return this.#notPlain();
      this.#checkedUntil = until;
      if (quote - from > checkedBytes) return undefined;
    }
    this.end = quote + 1;
    return this.#bytes.toString("latin1", from, quote);
  }

  #notPlain(): undefined {
    this.#isPlain = false;
  }

  /** Any other string: JSON.parse reads it in pieces that end outside of escapes and characters. */
  #stepPiece(): string | undefined {
    const bytes = this.#bytes;
    const from = this.#from;
    let at = from; // never inside an escape
    for (;;) {
      this.#look(at);
      const next = Math.min(this.#quote, this.#backslash);
      if (next - from > pieceBytes) {
        let cut = Math.max(at, from + pieceBytes);
        while (cut > at && (bytes[cut] & 0xc0) === 0x80) cut--;
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

  #look(at: number): void {
    if (this.#quote < at) this.#quote = indexOf(this.#bytes, quoteByte, at);
    if (this.#backslash < at) this.#backslash = indexOf(this.#bytes, backslashByte, at);
  }

  #take(from: number, to: number): undefined {
    this.#parts.push(JSON.parse(`"${this.#bytes.toString("utf8", from, to)}"`));
    this.#from = to;
  }
}

/** As `Buffer.indexOf`, but the length if there is none. */
function indexOf(bytes: Buffer, byte: number, from: number): number {
  const found = bytes.indexOf(byte, from);
  return found < 0 ? bytes.length : found;
}
