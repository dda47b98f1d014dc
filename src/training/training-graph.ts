import { GraphBuilder } from "./graph-builder.js";
import { sideForward } from "./graph-heads.js";
import { isGraphLoss, lossNodes } from "./graph-losses.js";
import { layerNames, maxLogitScale, type Network, type StepperOptions } from "./network.js";

export interface TrainingGraph {
  model: Uint8Array;
  /**
   * The parameters in the graph, with their shapes. `NAME`, `NAME/first` and `NAME/second` are
   * inputs, `…/next` are outputs.
   */
  parameters: { name: string; dims: readonly number[]; decays: boolean }[];
}

/**
 * K training steps as one ONNX graph (opset 17): a Scan over batches whose body is forward pass,
 * loss, backward pass and AdamW. Batch size B and K are free.
 *
 * Inputs besides the parameters: `a` [K, B, in], `b` [K, B, in]; `labels` [K, B] for
 * supervised-contrastive; `rate`, `epsilon`, `decay` [K] (see `StepSize`); `identity` [B, B], or
 * [2B, 2B] for supervised-contrastive; `inverseSize` [], 1 / B; `NAME/anchor` of the weights when
 * decay pulls towards the start. Output besides the parameters: `losses` [K].
 */
export function trainingGraph(
  network: Network,
  { optimizer, decayTowards }: StepperOptions,
): TrainingGraph {
  if (!isGraphLoss(network.loss))
    throw new RangeError(`The graph does not implement the loss "${network.loss}"`);
  const parameters = parametersOf(network);
  const decay = optimizer.weightDecay > 0;
  const anchored = decay && decayTowards === "start";
  const outer = new GraphBuilder("outer ");
  const body = new GraphBuilder("step ");

  // States passed between iterations of the Scan.
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
  const loss = lossNodes[network.loss](body, sides.a.output, sides.b.output, scale);

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

/** The update of optimizer.ts. A constant gradient of zero leaves a parameter unchanged. */
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
