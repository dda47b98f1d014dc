import { CholeskyDecomposition, Matrix as MlMatrix, SingularValueDecomposition } from "ml-matrix";
import { type Matrix, multiplyTransposed, zeros } from "./matrix.js";

// The only file that imports ml-matrix.

/**
 * X of A X = B for a symmetric positive definite A [n, n] and B [n, m].
 * @throws RangeError when A is not positive definite.
 */
export function solvePositive(a: Matrix, b: Matrix): Matrix {
  const cholesky = new CholeskyDecomposition(toMl(a));
  if (!cholesky.isPositiveDefinite()) throw new RangeError("The matrix is not positive definite");
  return fromMl(cholesky.solve(toMl(b)));
}

/** The matrix with orthonormal rows or columns that is closest to A: U V^T of A = U S V^T. */
export function closestOrthogonal(a: Matrix): Matrix {
  const svd = new SingularValueDecomposition(toMl(a), { autoTranspose: true });
  return multiplyTransposed(fromMl(svd.leftSingularVectors), fromMl(svd.rightSingularVectors));
}

const toMl = ({ rows, columns, data }: Matrix) =>
  new MlMatrix(
    Array.from({ length: rows }, (_, i) =>
      Array.from(data.subarray(i * columns, (i + 1) * columns)),
    ),
  );

function fromMl(m: MlMatrix): Matrix {
  const result = zeros(m.rows, m.columns);
  for (let i = 0; i < m.rows; i++)
    for (let j = 0; j < m.columns; j++) result.data[i * m.columns + j] = m.get(i, j);
  return result;
}
