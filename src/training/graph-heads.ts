import type { ProjectionHead } from "../encoders/head.js";
import type { GraphBuilder } from "./graph-builder.js";
import { layerNames, type Network } from "./network.js";

interface SideNodes {
  /** [B, out] unit rows. */
  output: string;
  /** @returns gradients by parameter name. */
  backward(gradOutput: string): Record<string, string>;
}

/** The graph's counterpart of head-gradient.ts: a side's forward and backward pass. */
export function sideForward(g: GraphBuilder, network: Network, side: "a" | "b"): SideNodes {
  const x = `${side} of step`;
  const head: ProjectionHead | undefined = network[side];
  if (head === undefined) return { output: x, backward: () => ({}) };
  const names = layerNames(side, head);
  const layerGradient = (layer: number, input: string, grad: string) => ({
    [names[layer].weight]: g.op("Gemm", [input, grad], { transA: 1 }),
    [names[layer].bias]: g.op("ReduceSum", [grad, g.integers(0)], { keepdims: 0 }),
  });
  const first = g.op("Gemm", [x, names[0].weight, names[0].bias]);
  if (head.kind === "linear") {
    const unit = unitNodes(g, first);
    return { output: unit.output, backward: (grad) => layerGradient(0, x, unit.backward(grad)) };
  }
  const hidden = g.op("Relu", [first]);
  const last = g.op("Gemm", [hidden, names[1].weight, names[1].bias]);
  const twoLayers = (gradLast: string) => {
    const gradHidden = g.op("Gemm", [gradLast, names[1].weight], { transB: 1 });
    // Sign(relu(u)) is relu's slope
    const gradFirst = g.op("Mul", [gradHidden, g.op("Sign", [hidden])]);
    return { ...layerGradient(0, x, gradFirst), ...layerGradient(1, hidden, gradLast) };
  };
  if (head.kind === "mlp") {
    const unit = unitNodes(g, last);
    return { output: unit.output, backward: (grad) => twoLayers(unit.backward(grad)) };
  }
  const adapted = g.op("Relu", [last]);
  const mixed = g.op("Add", [
    g.op("Mul", [adapted, g.scalar(head.ratio)]),
    g.op("Mul", [x, g.scalar(1 - head.ratio)]),
  ]);
  const unit = unitNodes(g, mixed);
  return {
    output: unit.output,
    backward(grad) {
      const slope = g.op("Mul", [g.op("Sign", [adapted]), g.scalar(head.ratio)]);
      return twoLayers(g.op("Mul", [unit.backward(grad), slope]));
    },
  };
}

/** y = u / |u| for each row; backward: du = (dy - (dy . y) y) / |u|. */
function unitNodes(g: GraphBuilder, u: string) {
  const length = g.op("ReduceL2", [u], { axes: [1], keepdims: 1 });
  const output = g.op("Div", [u, length]);
  return {
    output,
    backward(grad: string) {
      const along = g.op("ReduceSum", [g.op("Mul", [grad, output]), g.integers(1)], {
        keepdims: 1,
      });
      return g.op("Div", [g.op("Sub", [grad, g.op("Mul", [output, along])]), length]);
    },
  };
}
