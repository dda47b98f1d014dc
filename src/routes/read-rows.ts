import { AppError, invalidInput } from "../errors.js";
import { readNpy } from "../math/npy.js";
import type { Rows } from "../math/rows.js";
import { maxRows } from "../wire/rows.js";

const maxDimensions = 4096;

/**
 * @param param  the field's name, for error messages.
 * @throws AppError `invalid_input` when it holds no rows, or rows of different lengths;
 *   `too_large`.
 */
export function readRows(value: Uint8Array | number[][], param: string): Rows {
  if (value instanceof Uint8Array) {
    const { shape, data } = readNpy(value, param);
    if (shape.length !== 2 || shape[0] === 0 || shape[1] === 0) {
      const message =
        `Expected an array of rows for "${param}" but ` +
        `received the shape (${shape.join(", ")})`;
      throw invalidInput(param, message);
    }
    checkSize(shape[0], shape[1], param);
    return {
      values: data instanceof Float32Array ? data : Float32Array.from(data),
      dimensions: shape[1],
    };
  }
  const dimensions = value[0].length;
  checkSize(value.length, dimensions, param);
  const values = new Float32Array(value.length * dimensions);
  for (const [i, row] of value.entries()) {
    if (row.length !== dimensions) {
      const message =
        `Expected ${dimensions} numbers for "${param}[${i}]", as the first row has, but ` +
        `received ${row.length}`;
      throw invalidInput(`${param}[${i}]`, message);
    }
    values.set(row, i * dimensions);
  }
  return { values, dimensions };
}

function checkSize(count: number, width: number, param: string): void {
  if (count <= maxRows && width <= maxDimensions) return;
  const message =
    `Expected at most ${maxRows} rows of ${maxDimensions} numbers for "${param}" but received ` +
    `${count} of ${width}`;
  throw new AppError("too_large", message, { param });
}
