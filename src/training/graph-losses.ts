import type { GraphBuilder } from "./graph-builder.js";
import type { LossName } from "./losses/loss.js";

interface LossNodes {
  loss: string;
  gradOutput: { a: string; b: string };
  gradLogLogitScale: string;
  gradLogitBias: string;
}

const sum = (g: GraphBuilder, x: string) => g.op("ReduceSum", [x], { keepdims: 0 });

/**
 * Shared by the losses of the logits between the sides: logits' gradient -> embeddings' gradient.
 */
function crossBackward(g: GraphBuilder, a: string, b: string, scale: string, gradLogits: string) {
  const scaled = g.op("Mul", [gradLogits, scale]);
  return { a: g.op("Gemm", [scaled, b]), b: g.op("Gemm", [scaled, a], { transA: 1 }) };
}

/** The graph's counterparts of losses/info-nce.ts and losses/supervised-contrastive.ts. */
export const lossNodes = {
  infonce(g: GraphBuilder, a: string, b: string, scale: string): LossNodes {
    const logits = g.op("Mul", [g.op("Gemm", [a, b], { transB: 1 }), scale]);
    const rows = g.op("LogSoftmax", [logits], { axis: 1 });
    const columns = g.op("LogSoftmax", [logits], { axis: 0 });
    const half = g.op("Mul", ["inverseSize", g.scalar(0.5)]);
    const onDiagonal = g.op("Mul", [g.op("Add", [rows, columns]), "identity"]);
    const loss = g.op("Neg", [g.op("Mul", [sum(g, onDiagonal), half])]);
    const softmaxes = g.op("Add", [g.op("Exp", [rows]), g.op("Exp", [columns])]);
    const gradLogits = g.op("Sub", [
      g.op("Mul", [softmaxes, half]),
      g.op("Mul", ["identity", "inverseSize"]),
    ]);
    return {
      loss,
      gradOutput: crossBackward(g, a, b, scale, gradLogits),
      gradLogLogitScale: sum(g, g.op("Mul", [gradLogits, logits])),
      gradLogitBias: g.scalar(0),
    };
  },

  sigmoid(g: GraphBuilder, a: string, b: string, scale: string): LossNodes {
    const scaled = g.op("Mul", [g.op("Gemm", [a, b], { transB: 1 }), scale]);
    const logits = g.op("Add", [scaled, "logitBias"]);
    const signs = g.op("Sub", [g.op("Mul", ["identity", g.scalar(2)]), g.scalar(1)]);
    const opposed = g.op("Neg", [g.op("Mul", [signs, logits])]);
    const loss = g.op("Mul", [sum(g, g.op("Softplus", [opposed])), "inverseSize"]);
    const slope = g.op("Mul", [g.op("Sigmoid", [opposed]), "inverseSize"]);
    const gradLogits = g.op("Neg", [g.op("Mul", [signs, slope])]);
    return {
      loss,
      gradOutput: crossBackward(g, a, b, scale, gradLogits),
      gradLogLogitScale: sum(g, g.op("Mul", [gradLogits, scaled])),
      gradLogitBias: sum(g, gradLogits),
    };
  },

  "supervised-contrastive"(g: GraphBuilder, a: string, b: string, scale: string): LossNodes {
    const all = g.op("Concat", [a, b], { axis: 0 });
    const logits = g.op("Mul", [g.op("Gemm", [all, all], { transB: 1 }), scale]);
    // An item is not its own negative
    const others = g.op("Sub", [logits, g.op("Mul", ["identity", g.scalar(1e9)])]);
    const logProbability = g.op("LogSoftmax", [others], { axis: 1 });
    const labels = g.op("Concat", ["labels of step", "labels of step"], { axis: 0 });
    const same = g.op("Equal", [
      g.op("Unsqueeze", [labels, g.integers(1)]),
      g.op("Unsqueeze", [labels, g.integers(0)]),
    ]);
    const positives = g.op("Sub", [g.op("Cast", [same], { to: 1 }), "identity"]);
    const count = g.op("ReduceSum", [positives, g.integers(1)], { keepdims: 1 });
    const weights = g.op("Div", [positives, count]);
    const half = g.op("Mul", ["inverseSize", g.scalar(0.5)]); // 1 / 2B
    const loss = g.op("Neg", [g.op("Mul", [sum(g, g.op("Mul", [weights, logProbability])), half])]);
    const gradLogits = g.op("Mul", [g.op("Sub", [g.op("Exp", [logProbability]), weights]), half]);
    const bothWays = g.op("Add", [gradLogits, g.op("Transpose", [gradLogits], { perm: [1, 0] })]);
    const gradAll = g.op("Gemm", [g.op("Mul", [bothWays, scale]), all]);
    const [gradA, gradB] = g.ops("Split", [gradAll], ["gradient of a", "gradient of b"], {
      axis: 0,
    });
    return {
      loss,
      gradOutput: { a: gradA, b: gradB },
      gradLogLogitScale: sum(g, g.op("Mul", [gradLogits, logits])),
      gradLogitBias: g.scalar(0),
    };
  },
};

type GraphLoss = keyof typeof lossNodes;

/** The losses that the graph implements; the others train in plain TypeScript. */
export const graphLosses = Object.keys(lossNodes) as GraphLoss[];

export const isGraphLoss = (loss: LossName): loss is GraphLoss => loss in lossNodes;
