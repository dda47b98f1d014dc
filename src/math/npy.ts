import { AppError } from "../errors.js";

/** An array as numpy saves it, row-major; whole numbers and float64 are read into float64. */
export interface NpyArray {
  shape: readonly number[];
  data: Float32Array | Float64Array;
}

/** What a reader may be asked to hold, whatever a header claims. */
const mostNumbers = 2 ** 30;

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

/**
 * Reads a .npy file: C order, little-endian float32, float64 or whole numbers.
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3.
 *
 * @param param  the field that the bytes came in, for the error.
 * @throws AppError `invalid_input` for anything else; nothing is allocated before the header fits the bytes.
 */
export function readNpy(bytes: Uint8Array, param?: string): NpyArray {
  const fail = (why: string): never => {
    throw new AppError(
      "invalid_input",
      `${param === undefined ? "The file" : `"${param}"`} is not a usable .npy array: ${why}`,
      {
        param,
      },
    );
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte)) fail("it does not start as one");
  const version = bytes[6];
  if (version < 1 || version > 3) fail(`its format version is ${version}; expected 1 to 3`);
  const headerAt = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = headerAt + headerLength;
  if (start > bytes.length) fail("its header is cut short");
  if (headerLength > 10_000) fail(`its header has ${headerLength} bytes`);
  const header = Buffer.from(bytes.buffer, bytes.byteOffset + headerAt, headerLength).toString("latin1");

  const type = /'descr':\s*'([^']{1,8})'/.exec(header)?.[1] ?? fail("its header names no simple data type");
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const sides = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1] ?? fail("its header has no shape");
  if (order !== "False") fail("expected C order (numpy.ascontiguousarray) but received Fortran order");
  const [size, read] = readers[type] ?? fail(`its data type is ${type}; expected ${Object.keys(readers).join(", ")}`);
  const shape = sides
    .split(",")
    .filter((side) => side.trim() !== "")
    .map(Number);
  const count = shape.reduce((product, side) => product * side, 1);
  if (!(count <= mostNumbers)) fail(`its shape (${shape.join(", ")}) is too large`);
  if (bytes.length - start !== count * size) {
    fail(`the shape (${shape.join(", ")}) of ${type} needs ${count * size} bytes but ${bytes.length - start} follow`);
  }
  // A copy is aligned, whatever the header's length (and a Buffer's own slice would not copy); every platform that Node.js 20 runs on here is little-endian.
  if (type === "<f4") return { shape, data: new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer) };
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, start + i * size);
  return { shape, data };
}

/** Writes format version 1; the data starts at a multiple of 64 bytes, as numpy's own files do. */
export function writeNpy({ shape, data }: NpyArray): Uint8Array {
  const count = shape.reduce((product, side) => product * side, 1);
  if (count !== data.length)
    throw new RangeError(`The shape (${shape.join(", ")}) does not hold ${data.length} numbers`);
  const type = data instanceof Float32Array ? "<f4" : "<f8";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  let header = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  header = `${header.padEnd(header.length + ((64 - ((10 + header.length + 1) % 64)) % 64))}\n`;
  const start = 10 + header.length;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  const view = new DataView(bytes.buffer);
  view.setUint16(8, header.length, true);
  bytes.set(Buffer.from(header, "latin1"), 10);
  for (const [i, value] of data.entries()) {
    if (type === "<f4") view.setFloat32(start + 4 * i, value, true);
    else view.setFloat64(start + 8 * i, value, true);
  }
  return bytes;
}
