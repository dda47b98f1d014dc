import type { Writable } from "node:stream";

// Messages between the server and a process that decodes: [u32 length][JSON][buffer][buffer]…,
// little endian. The JSON is small; pixels, tensors and files are the buffers behind it, whose
// sizes it names. Only JSON and bytes are exchanged: a decoder's output is as untrusted as the file
// it decodes.

export interface Frame {
  message: unknown;
  buffers: Uint8Array<ArrayBuffer>[];
}

/** @param buffers  are not copied: they must not change until they are sent. */
export function writeFrame(
  stream: Writable,
  message: unknown,
  buffers: readonly Uint8Array[] = [],
): void {
  const json = JSON.stringify({ message, sizes: buffers.map((buffer) => buffer.byteLength) });
  const length = Buffer.byteLength(json);
  const head = Buffer.allocUnsafe(4 + length);
  head.writeUInt32LE(length);
  head.write(json, 4);
  stream.cork();
  stream.write(head);
  for (const buffer of buffers) stream.write(buffer);
  stream.uncork();
}

type Stage = "length" | "json" | "buffers";

/**
 * Assembles frames from arriving pieces; each buffer is copied once.
 */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #onFrame: (frame: Frame) => void;
  /** The current target: the length, the JSON, then the buffers. */
  #parts: Uint8Array<ArrayBuffer>[] = [new Uint8Array(4)];
  #stage: Stage = "length";
  #message: unknown;
  #part = 0;
  #filled = 0;

  /** @param maxBytes  of one frame. */
  constructor(maxBytes: number, onFrame: (frame: Frame) => void) {
    this.#maxBytes = maxBytes;
    this.#onFrame = onFrame;
  }

  /**
   * @throws RangeError for a frame that is too large, SyntaxError or TypeError for an invalid one.
   */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length || this.#isFull(); ) {
      if (this.#isFull()) {
        this.#next();
        continue;
      }
      const part = this.#parts[this.#part];
      const piece = chunk.subarray(at, at + part.length - this.#filled);
      part.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
    }
  }

  #isFull(): boolean {
    return this.#part === this.#parts.length || this.#filled === this.#parts[this.#part].length;
  }

  #next(): void {
    this.#filled = 0;
    if (this.#part < this.#parts.length && ++this.#part < this.#parts.length) return;
    if (this.#stage === "length") {
      const length = new DataView(this.#parts[0].buffer).getUint32(0, true);
      this.#expect("json", [length]);
    } else if (this.#stage === "json") {
      const { message, sizes } = JSON.parse(Buffer.from(this.#parts[0]).toString("utf8"));
      this.#message = message;
      if (!Array.isArray(sizes)) throw new TypeError("A frame names no sizes");
      this.#expect("buffers", sizes);
    } else {
      const frame = { message: this.#message, buffers: this.#parts };
      this.#expect("length", [4]);
      this.#onFrame(frame);
    }
  }

  #expect(stage: Stage, sizes: readonly unknown[]): void {
    let sum = 0;
    for (const size of sizes) {
      if (!Number.isSafeInteger(size) || (size as number) < 0)
        throw new TypeError(`A frame names the size ${size}`);
      sum += size as number;
    }
    if (sum > this.#maxBytes)
      throw new RangeError(`A frame has ${sum} bytes; expected at most ${this.#maxBytes}`);
    this.#stage = stage;
    this.#parts = sizes.map((size) => new Uint8Array(size as number));
    this.#part = 0;
  }
}
