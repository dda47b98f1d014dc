import { AppError } from "../errors.js";

/** An array as numpy saves it, row-major; whole numbers and float64 are read into float64. */
export interface NpyArray {
  shape: readonly number[];
  data: Float32Array | Float64Array;
}

/** The most that a reader allocates, whatever a header claims. */
const maxNumbers = 2 ** 30;

const readers: Record<string, [bytes: number, read: (view: DataView, at: number) => number]> = {
  "<f4": [4, (view, at) => view.getFloat32(at, true)],
  "<f8": [8, (view, at) => view.getFloat64(at, true)],
  "|i1": [1, (view, at) => view.getInt8(at)],
  "|u1": [1, (view, at) => view.getUint8(at)],
  "<i2": [2, (view, at) => view.getInt16(at, true)],
  "<u2": [2, (view, at) => view.getUint16(at, true)],
  "<i4": [4, (view, at) => view.getInt32(at, true)],
  "<u4": [4, (view, at) => view.getUint32(at, true)],
  "<i8": [8, (view, at) => Number(view.getBigInt64(at, true))],
};

/** The header of a .npy file. */
export interface NpyHeader {
  shape: readonly number[];
  /** As numpy writes it, e.g. `<f4`. */
  type: string;
  /** Bytes of one number. */
  size: number;
  /** Where the numbers start. */
  start: number;
  /** One number of this type. */
  read: (view: DataView, at: number) => number;
}

/** Our headers and numpy's have 128 bytes; readable ones have at most this many. */
export const maxNpyHeaderBytes = 10_012;

/**
 * Reads the header of a .npy file: C order, little-endian float32, float64 or whole numbers.
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3.
 *
 * @param bytes  the file, or its first `maxNpyHeaderBytes`.
 * @param param  the field that the bytes came in, for the error.
 * @throws AppError `invalid_input` for anything else.
 */
export function readNpyHeader(bytes: Uint8Array, param?: string): NpyHeader {
  const fail = (why: string) => unusable(why, param);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte))
    throw fail("it has no .npy signature");
  const version = bytes[6];
  if (version < 1 || version > 3) throw fail(`its format version is ${version}; expected 1 to 3`);
  const headerAt = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = headerAt + headerLength;
  if (headerLength > 10_000) throw fail(`its header has ${headerLength} bytes`);
  if (start > bytes.length) throw fail("its header is cut short");
  const header = Buffer.from(bytes.buffer, bytes.byteOffset + headerAt, headerLength).toString(
    "latin1",
  );

  const type = /'descr':\s*'([^']{1,8})'/.exec(header)?.[1];
  if (type === undefined) throw fail("its header names no simple data type");
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const sides = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (sides === undefined) throw fail("its header has no shape");
  if (order !== "False")
    throw fail("expected C order (numpy.ascontiguousarray) but received Fortran order");
  if (!Object.hasOwn(readers, type)) {
    throw fail(`its data type is ${type}; expected ${Object.keys(readers).join(", ")}`);
  }
  const [size, read] = readers[type];
  const shape = sides
    .split(",")
    .filter((side) => side.trim() !== "")
    .map(Number);
  return { shape, type, size, start, read };
}

function unusable(why: string, param: string | undefined): AppError {
  const name = param === undefined ? "The file" : `"${param}"`;
  return new AppError("invalid_input", `${name} is not a usable .npy array: ${why}`, { param });
}

/**
 * Reads a .npy file whole.
 * @throws AppError `invalid_input` like `readNpyHeader`; nothing is allocated before the header
 *   fits the bytes.
 */
export function readNpy(bytes: Uint8Array, param?: string): NpyArray {
  const { shape, type, size, start, read } = readNpyHeader(bytes, param);
  const count = shape.reduce((product, side) => product * side, 1);
  if (!(count <= maxNumbers)) throw unusable(`its shape (${shape.join(", ")}) is too large`, param);
  if (bytes.length - start !== count * size) {
    const found = `needs ${count * size} bytes but ${bytes.length - start} follow`;
    throw unusable(`the shape (${shape.join(", ")}) of ${type} ${found}`, param);
  }
  // A copy is aligned, whatever the header's length (a Buffer's slice would not copy); every
  // supported platform is little-endian.
  if (type === "<f4")
    return { shape, data: new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer) };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, start + i * size);
  return { shape, data };
}

/**
 * The header of a file in format version 1; the numbers start at a multiple of 64 bytes, as in
 * numpy's own files. Up to two sides below 10^15 it has 128 bytes, so that it can be rewritten once
 * the shape is known.
 */
export function npyHeader(shape: readonly number[], type: "<f4" | "<f8"): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.max(128, 64 * Math.ceil((10 + text.length + 1) / 64));
  const bytes = new Uint8Array(length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(Buffer.from(`${text.padEnd(length - 11)}\n`, "latin1"), 10);
  return bytes;
}

/** Writes format version 1. */
export function writeNpy({ shape, data }: NpyArray): Uint8Array {
  const count = shape.reduce((product, side) => product * side, 1);
  if (count !== data.length)
    throw new RangeError(`The shape (${shape.join(", ")}) does not hold ${data.length} numbers`);
  const type = data instanceof Float32Array ? "<f4" : "<f8";
  const header = npyHeader(shape, type);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  const view = new DataView(bytes.buffer, header.length);
  for (const [i, value] of data.entries()) {
    if (type === "<f4") view.setFloat32(4 * i, value, true);
    else view.setFloat64(8 * i, value, true);
  }
  return bytes;
}
