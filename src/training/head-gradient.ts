import type { Affine, ProjectionHead } from "../encoders/head.js";
import { type Matrix, multiply, multiplyTransposed, transpose, zeros } from "../math/matrix.js";

/** Gradients in the shapes of a head's layers: `weight` [in, out] row-major, `bias` [out]. */
type LayerGradient = { weight: Float64Array; bias: Float64Array };

/** Values that the forward pass keeps for the backward pass. */
export interface HeadForward {
  /** [N, out] unit rows. */
  output: Matrix;
  /** @param gradOutput [N, out], dLoss/dOutput.  @returns dLoss/dParameters, one per layer. */
  backward(gradOutput: Matrix): LayerGradient[];
}

/**
 * A head in float64 with its backward pass: a plain version of what the training graph computes in
 * float32.
 * @param x  [N, in]
 */
export function headForward(head: ProjectionHead, x: Matrix): HeadForward {
  const first = affine(head.layers[0], x);
  if (head.kind === "linear") {
    const unit = unitForward(first);
    return { output: unit.output, backward: (grad) => [layerGradient(x, unit.backward(grad))] };
  }
  const [, second] = head.layers;
  const hidden = relu(first);
  const last = affine(second, hidden);
  if (head.kind === "mlp") {
    const unit = unitForward(last);
    return { output: unit.output, backward: (grad) => twoLayers(unit.backward(grad)) };
  }
  const { ratio } = head;
  const adapted = relu(last);
  const mixed = zeros(x.rows, x.columns);
  for (let i = 0; i < mixed.data.length; i++)
    mixed.data[i] = ratio * adapted.data[i] + (1 - ratio) * x.data[i];
  const unit = unitForward(mixed);
  return {
    output: unit.output,
    backward(grad) {
      const gradMixed = unit.backward(grad);
      for (let i = 0; i < gradMixed.data.length; i++) gradMixed.data[i] *= ratio;
      return twoLayers(reluBackward(gradMixed, last));
    },
  };

  function twoLayers(gradLast: Matrix): LayerGradient[] {
    const gradHidden = multiplyTransposed(gradLast, weightOf(second));
    return [layerGradient(x, reluBackward(gradHidden, first)), layerGradient(hidden, gradLast)];
  }
}

const weightOf = (layer: Affine): Matrix => ({
  rows: layer.dimensionsIn,
  columns: layer.dimensionsOut,
  data: Float64Array.from(layer.weight),
});

function affine(layer: Affine, x: Matrix): Matrix {
  const y = multiply(x, weightOf(layer));
  for (let i = 0; i < y.data.length; i++) y.data[i] += layer.bias[i % y.columns];
  return y;
}

function relu(x: Matrix): Matrix {
  return { ...x, data: x.data.map((value) => Math.max(value, 0)) };
}

function reluBackward(grad: Matrix, input: Matrix): Matrix {
  return { ...grad, data: grad.data.map((value, i) => (input.data[i] > 0 ? value : 0)) };
}

function layerGradient(x: Matrix, gradY: Matrix): LayerGradient {
  const bias = new Float64Array(gradY.columns);
  for (let i = 0; i < gradY.data.length; i++) bias[i % gradY.columns] += gradY.data[i];
  return { weight: multiply(transpose(x), gradY).data, bias };
}

/** y = u / |u| for each row; backward: du = (dy - (dy . y) y) / |u|. */
function unitForward(u: Matrix): { output: Matrix; backward(grad: Matrix): Matrix } {
  const d = u.columns;
  const output = zeros(u.rows, d);
  const lengths = new Float64Array(u.rows);
  for (let i = 0; i < u.rows; i++) {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += u.data[i * d + j] ** 2;
    lengths[i] = Math.sqrt(sum);
    for (let j = 0; j < d; j++) output.data[i * d + j] = u.data[i * d + j] / lengths[i];
  }
  return {
    output,
    backward(grad) {
      const result = zeros(u.rows, d);
      for (let i = 0; i < u.rows; i++) {
        let along = 0;
        for (let j = 0; j < d; j++) along += grad.data[i * d + j] * output.data[i * d + j];
        for (let j = 0; j < d; j++) {
          result.data[i * d + j] =
            (grad.data[i * d + j] - along * output.data[i * d + j]) / lengths[i];
        }
      }
      return result;
    },
  };
}
