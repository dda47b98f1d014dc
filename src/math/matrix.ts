/** A row-major matrix in float64: element (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, data: new Float64Array(rows * columns) };
}

/** @throws RangeError when `values` does not hold rows * columns numbers. */
export function matrixOf(rows: number, columns: number, values: ArrayLike<number>): Matrix {
  if (values.length !== rows * columns) {
    throw new RangeError(
      `A ${rows} x ${columns} matrix needs ${rows * columns} numbers but was given ` +
        `${values.length}`,
    );
  }
  return { rows, columns, data: Float64Array.from(values) };
}

export function transpose(a: Matrix): Matrix {
  const result = zeros(a.columns, a.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) result.data[j * a.rows + i] = a.data[i * a.columns + j];
  }
  return result;
}

/** a [n, k] times b [k, m] -> [n, m]. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows) throw new RangeError(`Cannot multiply ${size(a)} by ${size(b)}`);
  const result = zeros(a.rows, b.columns);
  const m = b.columns;
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.columns; k++) {
      const scale = a.data[i * a.columns + k];
      if (scale === 0) continue;
      for (let j = 0; j < m; j++) result.data[i * m + j] += scale * b.data[k * m + j];
    }
  }
  return result;
}

/** a [n, k] times the transpose of b [m, k] -> [n, m]: every row of a against every row of b. */
export function multiplyTransposed(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.columns)
    throw new RangeError(`Cannot multiply ${size(a)} by the transpose of ${size(b)}`);
  const result = zeros(a.rows, b.rows);
  const k = a.columns;
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      let sum = 0;
      for (let c = 0; c < k; c++) sum += a.data[i * k + c] * b.data[j * k + c];
      result.data[i * b.rows + j] = sum;
    }
  }
  return result;
}

/** One matrix above another: [n, k] and [m, k] -> [n + m, k]. */
export function stack(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.columns) throw new RangeError(`Cannot stack ${size(a)} on ${size(b)}`);
  const result = zeros(a.rows + b.rows, a.columns);
  result.data.set(a.data);
  result.data.set(b.data, a.data.length);
  return result;
}

/** Rows from..to-1 as a matrix that shares memory with `a`. */
export function rowRange(a: Matrix, from: number, to: number): Matrix {
  return {
    rows: to - from,
    columns: a.columns,
    data: a.data.subarray(from * a.columns, to * a.columns),
  };
}

/** a + factor * b, written into a. */
export function addScaled(a: Matrix, b: Matrix, factor = 1): void {
  if (a.rows !== b.rows || a.columns !== b.columns)
    throw new RangeError(`Cannot add ${size(b)} to ${size(a)}`);
  for (let i = 0; i < a.data.length; i++) a.data[i] += factor * b.data[i];
}

/** The sum of the products of elements at the same place. */
export function innerProduct(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += a.data[i] * b.data[i];
  return sum;
}

const size = (a: Matrix) => `[${a.rows}, ${a.columns}]`;
