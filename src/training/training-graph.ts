import type { ProjectionHead } from "../encoders/head.js";
import { GraphBuilder } from "./graph-builder.js";
import type { LossName } from "./losses/loss.js";
import { layerNames, maxLogitScale, type Network, type StepperOptions } from "./network.js";

/** The losses that the graph holds; the others train in plain TypeScript. */
export const graphLosses: readonly LossName[] = ["infonce", "sigmoid", "supervised-contrastive"];

export interface TrainingGraph {
  model: Uint8Array;
  /**
   * The parameters in the graph, with their shapes. `NAME`, `NAME/first` and `NAME/second` go in,
   * `…/next` come out.
   */
  parameters: { name: string; dims: readonly number[]; decays: boolean }[];
}

/**
 * K training steps as one ONNX graph (opset 17): a Scan over batches whose body is forward pass,
 * loss, backward pass and AdamW. Batch size B and K are free.
 *
 * Inputs beside the parameters: `a` [K, B, in], `b` [K, B, in]; `labels` [K, B] for
 * supervised-contrastive; `rate`, `epsilon`, `decay` [K] (see `StepSize`); `identity` [B, B], or
 * [2B, 2B] for supervised-contrastive; `inverseSize` [], 1 / B; `NAME/anchor` of the weights when
 * decay pulls towards the start. Output beside the parameters: `losses` [K].
 */
export function trainingGraph(
  network: Network,
  { optimizer, decayTowards }: StepperOptions,
): TrainingGraph {
  if (!graphLosses.includes(network.loss))
    throw new RangeError(`The graph does not hold the loss "${network.loss}"`);
  const parameters = parametersOf(network);
  const decay = optimizer.weightDecay > 0;
  const anchored = decay && decayTowards === "start";
  const outer = new GraphBuilder("outer ");
  const body = new GraphBuilder("step ");

  // States: what an iteration of the Scan hands to the next.
  const states = parameters.flatMap(({ name, dims }) =>
    ["", "/first", "/second"].map((part) => ({ name: name + part, dims })),
  );
  for (const { name, dims } of states) body.input(name, dims);
  const scanned: [string, readonly (number | string)[]][] = [
    ["rate", []],
    ["epsilon", []],
    ["decay", []],
    ["a", ["B", "inA"]],
    ["b", ["B", "inB"]],
  ];
  if (network.loss === "supervised-contrastive") scanned.push(["labels", ["B"]]);
  for (const [name, dims] of scanned)
    body.input(`${name} of step`, dims, name === "labels" ? "int32" : "float32");

  const sides = { a: sideForward(body, network, "a"), b: sideForward(body, network, "b") };
  const scale = body.op("Exp", ["logLogitScale"]);
  const loss = lossNodes[network.loss as keyof typeof lossNodes](
    body,
    sides.a.output,
    sides.b.output,
    scale,
  );

  const gradients: Record<string, string> = {
    logLogitScale: network.learnLogits ? loss.gradLogLogitScale : body.scalar(0),
    logitBias: network.learnLogits ? loss.gradLogitBias : body.scalar(0),
  };
  for (const side of ["a", "b"] as const)
    Object.assign(gradients, sides[side].backward(loss.gradOutput[side]));
  for (const { name, decays } of parameters) {
    adamW(
      body,
      name,
      gradients[name],
      optimizer,
      decays && decay ? (anchored ? "anchor" : "zero") : "none",
    );
  }
  for (const { name, dims } of states) body.output(`${name}/next`, dims);
  body.output(body.op("Identity", [loss.loss], {}, "loss of step"), []);

  for (const { name, dims } of states) outer.input(name, dims);
  if (anchored) {
    for (const { name, dims, decays } of parameters)
      if (decays) outer.input(`${name}/anchor`, dims);
  }
  outer.input("identity", ["side", "side"]);
  outer.input("inverseSize", []);
  for (const [name, dims] of scanned)
    outer.input(name, ["K", ...dims], name === "labels" ? "int32" : "float32");
  outer.ops(
    "Scan",
    [...states.map(({ name }) => name), ...scanned.map(([name]) => name)],
    [...states.map(({ name }) => `${name}/next`), "losses"],
    { body, num_scan_inputs: scanned.length },
  );
  for (const { name, dims } of states) outer.output(`${name}/next`, dims);
  outer.output("losses", ["K"]);
  return { model: outer.model(17), parameters };
}

function parametersOf(network: Network): TrainingGraph["parameters"] {
  const parameters: TrainingGraph["parameters"] = [];
  for (const side of ["a", "b"] as const) {
    const head = network[side];
    if (head === undefined) continue;
    for (const { weight, bias, layer } of layerNames(side, head)) {
      parameters.push({
        name: weight,
        dims: [layer.dimensionsIn, layer.dimensionsOut],
        decays: true,
      });
      parameters.push({ name: bias, dims: [layer.dimensionsOut], decays: false });
    }
  }
  parameters.push({ name: "logLogitScale", dims: [], decays: false });
  parameters.push({ name: "logitBias", dims: [], decays: false });
  return parameters;
}

interface SideNodes {
  /** [B, out] unit rows. */
  output: string;
  /** @returns gradients by parameter name. */
  backward(gradOutput: string): Record<string, string>;
}

function sideForward(g: GraphBuilder, network: Network, side: "a" | "b"): SideNodes {
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

interface LossNodes {
  loss: string;
  gradOutput: { a: string; b: string };
  gradLogLogitScale: string;
  gradLogitBias: string;
}

const sum = (g: GraphBuilder, x: string) => g.op("ReduceSum", [x], { keepdims: 0 });

/**
 * What the losses of the logits between the sides share: logits' gradient -> embeddings' gradient.
 */
function crossBackward(g: GraphBuilder, a: string, b: string, scale: string, gradLogits: string) {
  const scaled = g.op("Mul", [gradLogits, scale]);
  return { a: g.op("Gemm", [scaled, b]), b: g.op("Gemm", [scaled, a], { transA: 1 }) };
}

/** The graph's counterparts of losses/info-nce.ts and losses/supervised-contrastive.ts. */
const lossNodes = {
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
    // An item is not its own rival
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

/** The update of optimizer.ts. A constant gradient of zero leaves a parameter as it is. */
function adamW(
  g: GraphBuilder,
  name: string,
  gradient: string,
  { beta1, beta2 }: StepperOptions["optimizer"],
  decay: "none" | "zero" | "anchor",
): void {
  const first = g.op(
    "Add",
    [g.op("Mul", [`${name}/first`, g.scalar(beta1)]), gradient],
    {},
    `${name}/first/next`,
  );
  const square = g.op("Mul", [gradient, gradient]);
  const second = g.op(
    "Add",
    [g.op("Mul", [`${name}/second`, g.scalar(beta2)]), square],
    {},
    `${name}/second/next`,
  );
  const root = g.op("Add", [g.op("Sqrt", [second]), "epsilon of step"]);
  const change = g.op("Div", [g.op("Mul", [first, "rate of step"]), root]);
  let kept = name;
  if (decay === "zero") kept = g.op("Mul", [name, g.op("Sub", [g.scalar(1), "decay of step"])]);
  if (decay === "anchor") {
    kept = g.op("Sub", [
      name,
      g.op("Mul", [g.op("Sub", [name, `${name}/anchor`]), "decay of step"]),
    ]);
  }
  const next = g.op(
    "Sub",
    [kept, change],
    {},
    name === "logLogitScale" ? undefined : `${name}/next`,
  );
  if (name === "logLogitScale")
    g.op("Min", [next, g.scalar(Math.log(maxLogitScale))], {}, `${name}/next`);
}
