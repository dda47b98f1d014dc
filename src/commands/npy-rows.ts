import { open } from "node:fs/promises";
import { invalidInput } from "../errors.js";
import type { NewFile } from "../files/new-file.js";
import { maxNpyHeaderBytes, type NpyHeader, npyHeader, readNpyHeader } from "../math/npy.js";
import { CommandError } from "./target.js";
import { fileError } from "./walk-files.js";

/** Rows buffered before they are written, and bytes read at a time. */
const rowsPerWrite = 256;
const bytesPerRead = 2 ** 20;

/** Writes any number of float32 rows to a .npy file. */
export class NpyRows {
  readonly #file: NewFile;
  readonly #dimensions: number;
  #rows = 0;
  #waiting: Float32Array[] = [];

  private constructor(file: NewFile, dimensions: number) {
    this.#file = file;
    this.#dimensions = dimensions;
  }

  static async begin(file: NewFile, dimensions: number): Promise<NpyRows> {
    await file.write(npyHeader([0, dimensions], "<f4"));
    return new NpyRows(file, dimensions);
  }

  async append(row: Float32Array): Promise<void> {
    if (row.length !== this.#dimensions) {
      throw new CommandError(
        `Expected ${this.#dimensions} numbers in a row but received ${row.length}`,
      );
    }
    this.#rows++;
    if (this.#waiting.push(row) >= rowsPerWrite) await this.#flush();
  }

  /** Writes the buffered rows and the final row count. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#file.writeAt(npyHeader([this.#rows, this.#dimensions], "<f4"), 0);
  }

  async #flush(): Promise<void> {
    const bytes = this.#waiting.map((row) =>
      Buffer.from(row.buffer, row.byteOffset, row.byteLength),
    );
    this.#waiting = [];
    await this.#file.write(Buffer.concat(bytes));
  }
}

/**
 * The rows of a .npy file, a piece in memory at a time. @throws AppError `invalid_input`,
 * CommandError when it cannot be read.
 */
export async function readNpyRows(
  path: string,
): Promise<{ count: number; rows: AsyncGenerator<Float32Array> }> {
  const file = await open(path).catch((error: Error) => {
    throw new CommandError(`${path}: ${fileError(error)}`);
  });
  try {
    const { bytesRead, buffer } = await file.read(
      Buffer.alloc(maxNpyHeaderBytes),
      0,
      maxNpyHeaderBytes,
      0,
    );
    const header = readNpyHeader(buffer.subarray(0, bytesRead), path);
    const [count, dimensions] = header.shape;
    const { size } = await file.stat();
    const wanted = header.start + count * dimensions * header.size;
    if (header.shape.length !== 2 || dimensions === 0 || size !== wanted) {
      const message =
        `Expected rows in ${path}, but its shape is (${header.shape.join(", ")}) and it has ` +
        `${size} bytes`;
      throw invalidInput(path, message);
    }
    return { count, rows: rowsOf(path, header) };
  } finally {
    await file.close();
  }
}

async function* rowsOf(path: string, { shape: [count, dimensions], start, size, read }: NpyHeader) {
  const file = await open(path);
  try {
    const rowBytes = dimensions * size;
    const atOnce = Math.max(1, Math.floor(bytesPerRead / rowBytes));
    for (let row = 0; row < count; row += atOnce) {
      const rows = Math.min(atOnce, count - row);
      const piece = Buffer.alloc(rows * rowBytes);
      const { bytesRead } = await file.read(piece, 0, piece.length, start + row * rowBytes);
      if (bytesRead !== piece.length)
        throw new CommandError(`${path} became shorter while it was read`);
      const view = new DataView(piece.buffer, piece.byteOffset, piece.length);
      for (let i = 0; i < rows; i++) {
        yield Float32Array.from({ length: dimensions }, (_, j) =>
          read(view, i * rowBytes + j * size),
        );
      }
    }
  } finally {
    await file.close();
  }
}
