import { type Matrix, matrixOf } from "../math/matrix.js";
import { headForward } from "./head-gradient.js";
import { lossOf } from "./losses/loss.js";
import {
  type Batch,
  copyState,
  headOf,
  initialState,
  layerNames,
  maxLogitScale,
  type Network,
  type Stepper,
  type StepperOptions,
  type TrainingState,
} from "./network.js";
import { adamWStep, stepSize } from "./optimizer.js";

/**
 * Size of nnclr's queue: embeddings of the latest batches, at most this many a side.
 */
const supportSize = 4096;

/**
 * Training steps in plain TypeScript: the oracle of the graph, and for losses that the graph does
 * not implement. About 35 times slower than the graph (bench/README.md).
 */
export function plainStepper(
  network: Network,
  start: TrainingState,
  options: StepperOptions,
): Stepper {
  const current = copyState(start);
  const anchor = initialState(network);
  if (options.decayTowards === "zero")
    for (const { value } of Object.values(anchor.parameters)) value.fill(0);
  return {
    async train(batches, learningRates) {
      const losses: number[] = [];
      for (const [i, batch] of batches.entries()) losses.push(update(batch, learningRates[i]));
      return losses;
    },
    evaluate: async (batches) => batches.map((batch) => forward(batch).result.loss),
    state: () => copyState(current),
    close: async () => {},
  };

  function forward(batch: Batch) {
    const x = { a: rows(batch.a, batch.size), b: rows(batch.b, batch.size) };
    const sides = { a: pass("a", x.a), b: pass("b", x.b) };
    const logits = {
      logitScale: Math.exp(current.parameters.logLogitScale.value[0]),
      logitBias: network.loss === "sigmoid" ? current.parameters.logitBias.value[0] : 0,
    };
    const result = lossOf(network.loss, sides.a.output, sides.b.output, logits, {
      labels: batch.labels,
      third: batch.third && rows(batch.third, batch.size),
      features: batch.features && rows(batch.features, batch.size),
      supportA: support("support.a", sides.a.output),
      supportB: support("support.b", sides.b.output),
    });
    return { sides, result };
  }

  function pass(side: "a" | "b", x: Matrix) {
    const head = headOf(network, side, current);
    return head === undefined ? { output: x, backward: () => [] } : headForward(head, x);
  }

  function update(batch: Batch, learningRate: number): number {
    const { sides, result } = forward(batch);
    current.step++;
    const size = stepSize(current.step, learningRate, options.optimizer);
    const step = (name: string, gradient: ArrayLike<number>, decays: boolean) => {
      const decayTo =
        decays && options.optimizer.weightDecay > 0 ? anchor.parameters[name].value : undefined;
      adamWStep(current.parameters[name], gradient, size, options.optimizer, decayTo);
    };
    for (const [side, grad] of [["a", result.gradA] as const, ["b", result.gradB] as const]) {
      const head = network[side];
      if (head === undefined) continue;
      const gradients = sides[side].backward(grad);
      for (const [i, { weight, bias }] of layerNames(side, head).entries()) {
        step(weight, gradients[i].weight, true);
        step(bias, gradients[i].bias, false);
      }
    }
    if (network.learnLogits) {
      step("logLogitScale", [result.gradLogLogitScale], false);
      const { value } = current.parameters.logLogitScale;
      value[0] = Math.min(value[0], Math.log(maxLogitScale));
      if (network.loss === "sigmoid") step("logitBias", [result.gradLogitBias], false);
    }
    if (network.loss === "nnclr") {
      remember("support.a", sides.a.output);
      remember("support.b", sides.b.output);
    }
    return result.loss;
  }

  /**
   * The queue is part of the state, so that a resumed run sees the neighbours that an uninterrupted
   * one sees.
   */
  function support(name: string, output: Matrix): Matrix | undefined {
    const queue = current.parameters[name]?.value;
    return queue && rows(queue, queue.length / output.columns);
  }

  function remember(name: string, output: Matrix): void {
    const earlier = current.parameters[name]?.value ?? new Float32Array(0);
    const kept = earlier.subarray(0, Math.max(0, supportSize - output.rows) * output.columns);
    const value = new Float32Array(output.data.length + kept.length);
    value.set(output.data);
    value.set(kept, output.data.length);
    current.parameters[name] = { value, first: new Float32Array(0), second: new Float32Array(0) };
  }
}

function rows(values: Float32Array, count: number): Matrix {
  return matrixOf(count, values.length / count, values);
}
