import { fstatSync, readSync } from "node:fs";

const maxTextBytes = 4096;

export interface Field {
  number: number;
  /**
   * Length-delimited: a message, a string or bytes, at [start, end). Else `value` is the varint.
   */
  isBytes: boolean;
  start: number;
  end: number;
  value: number;
}

/** The wire format of protocol buffers, read from a file through a window. */
export class WireReader {
  readonly size: number;
  readonly #fd: number;
  readonly #window = Buffer.alloc(1 << 16);
  #windowStart = 0;
  #windowEnd = 0;
  /** Where the last varint ended. */
  #at = 0;

  constructor(fd: number) {
    this.#fd = fd;
    this.size = fstatSync(fd).size;
  }

  *fields(start: number, end: number): Generator<Field> {
    for (let at = start; at < end; ) {
      const tag = this.#varint(at, end);
      at = this.#at;
      const field = { number: Math.floor(tag / 8), isBytes: false, start: at, end: at, value: 0 };
      const wireType = tag % 8;
      if (wireType === 0) {
        field.value = this.#varint(at, end);
        field.end = this.#at;
      } else if (wireType === 2) {
        const length = this.#varint(at, end);
        field.isBytes = true;
        field.start = this.#at;
        field.end = this.#at + length;
      } else if (wireType === 1) field.end = at + 8;
      else if (wireType === 5) field.end = at + 4;
      else throw new RangeError("not an ONNX graph");
      if (field.number === 0 || field.end > end)
        throw new RangeError("not an ONNX graph, or cut short");
      yield field;
      at = field.end;
    }
  }

  text({ start, end }: Field): string {
    const length = end - start;
    if (length > maxTextBytes) throw new RangeError("an ONNX graph with a name that is too long");
    const bytes = Buffer.alloc(length);
    readSync(this.#fd, bytes, 0, length, start);
    return bytes.toString("utf8");
  }

  #varint(start: number, end: number): number {
    let value = 0;
    for (let at = start, scale = 1; at < end && at < start + 10; at++, scale *= 128) {
      const byte = this.#byte(at);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.#at = at + 1;
        return value;
      }
    }
    throw new RangeError("not an ONNX graph, or cut short");
  }

  #byte(at: number): number {
    if (at < this.#windowStart || at >= this.#windowEnd) {
      this.#windowStart = at;
      this.#windowEnd = at + readSync(this.#fd, this.#window, 0, this.#window.length, at);
      if (this.#windowEnd === at) throw new RangeError("an ONNX graph that is cut short");
    }
    return this.#window[at - this.#windowStart];
  }
}
