import type { Affine, ProjectionHead } from "../encoders/head.js";
import type { Random } from "../math/random.js";

export interface HeadChoice {
  kind: ProjectionHead["kind"];
  /**
   * Width between the two layers; by default twice the dimensions for an mlp, a quarter for a
   * residual head.
   */
  hidden?: number;
  /**
   * Residual heads: how much of the adapter is mixed in, in [0, 1]. CLIP-Adapter's default is 0.2.
   */
  ratio?: number;
}

/**
 * A head to start training from. If the dimensions allow, it leaves embeddings unchanged, so that
 * training starts from the encoder's output: a linear head is the identity; an mlp of width 2d
 * computes ReLU(x) - ReLU(-x) = x; a residual head starts with a small random adapter. Otherwise
 * weights are normal with variance 2 / in (1 / in for the last layer), biases zero (He et al. 2015,
 * https://arxiv.org/abs/1502.01852).
 */
export function initialHead(
  choice: HeadChoice,
  from: number,
  to: number,
  random: Random,
): ProjectionHead {
  const normal = (rows: number, columns: number, gain: number) =>
    layer(rows, columns, () => random.normal() * Math.sqrt(gain / rows));
  if (choice.kind === "linear") {
    return {
      kind: "linear",
      layers: [from === to ? layer(from, to, identity) : normal(from, to, 1)],
    };
  }
  if (choice.kind === "residual") {
    const hidden = choice.hidden ?? Math.max(1, Math.round(from / 4));
    const layers: [Affine, Affine] = [normal(from, hidden, 2), normal(hidden, to, 1)];
    return { kind: "residual", layers, ratio: choice.ratio ?? 0.2 };
  }
  const hidden = choice.hidden ?? 2 * from;
  if (from !== to || hidden < 2 * from) {
    return { kind: "mlp", layers: [normal(from, hidden, 2), normal(hidden, to, 1)] };
  }
  const split = layer(from, hidden, (i, j) => (j === i ? 1 : j === i + from ? -1 : 0));
  const merge = layer(hidden, to, (i, j) => (i === j ? 1 : i === j + from ? -1 : 0));
  return { kind: "mlp", layers: [split, merge] };
}

const identity = (i: number, j: number) => (i === j ? 1 : 0);

function layer(rows: number, columns: number, element: (i: number, j: number) => number): Affine {
  const weight = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) weight[i * columns + j] = element(i, j);
  return { weight, bias: new Float32Array(columns), dimensionsIn: rows, dimensionsOut: columns };
}
