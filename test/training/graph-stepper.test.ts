import { describe, expect, it } from "vitest";
import type { ProjectionHead } from "../../src/encoders/head.js";
import { matrixOf } from "../../src/math/matrix.js";
import { seededRandom } from "../../src/math/random.js";
import { graphLosses } from "../../src/training/graph-losses.js";
import { openGraphStepper } from "../../src/training/graph-stepper.js";
import { initialHead } from "../../src/training/initial-head.js";
import {
  type Batch,
  initialState,
  type Network,
  type StepperOptions,
} from "../../src/training/network.js";
import { adamWDefaults } from "../../src/training/optimizer.js";
import { plainStepper } from "../../src/training/plain-stepper.js";
import { randomUnitRows, unitRows } from "../helpers/matrices.js";

const size = 12;
const steps = 5;
const learningRates = [0.001, 0.004, 0.003, 0.002, 0.001];

function batches(dimensionsA: number, dimensionsB: number): Batch[] {
  return Array.from({ length: steps }, (_, k) => ({
    size,
    a: Float32Array.from(randomUnitRows(size, dimensionsA, 100 + k).data),
    b: Float32Array.from(randomUnitRows(size, dimensionsB, 200 + k).data),
    labels: Int32Array.from({ length: size }, (_, i) => (i * 7 + k) % 5),
  }));
}

function network(loss: Network["loss"], kind: ProjectionHead["kind"], locked?: "a" | "b"): Network {
  const random = seededRandom(3);
  return {
    loss,
    a: locked === "a" ? undefined : initialHead({ kind, hidden: 10 }, 8, 8, random),
    b:
      locked === "b"
        ? undefined
        : initialHead({ kind: "linear" }, locked === "a" ? 6 : 8, 8, random),
    logitScale: loss === "sigmoid" ? 10 : 1 / 0.07,
    logitBias: loss === "sigmoid" ? -3 : 0,
    learnLogits: true,
  };
}

async function compare(net: Network, options: StepperOptions, data: Batch[]) {
  const start = initialState(net);
  const plain = plainStepper(net, start, options);
  const graph = await openGraphStepper(net, start, { ...options, threads: 1 });
  try {
    let worst = 0;
    for (const [i, batch] of data.entries()) {
      const [expected] = await plain.train([batch], [learningRates[i]]);
      const [loss] = await graph.train([batch], [learningRates[i]]);
      worst = Math.max(worst, Math.abs(loss - expected));
      const state = graph.state();
      for (const [name, { value }] of Object.entries(plain.state().parameters)) {
        for (const [j, v] of value.entries())
          worst = Math.max(worst, Math.abs(state.parameters[name].value[j] - v));
      }
    }

    return worst;
  } finally {
    await graph.close();
  }
}

describe("openGraphStepper", () => {
  const options: StepperOptions = {
    optimizer: { ...adamWDefaults, weightDecay: 0.1 },
    decayTowards: "zero",
  };
  const kinds = ["linear", "mlp", "residual"] as const;
  const combinations = graphLosses.flatMap((loss) => kinds.map((kind) => [loss, kind] as const));

  // Adam divides by the root of tiny squared gradients, so float32 rounding is magnified: measured
  // at most 2.1e-6.
  it.each(combinations)("follows the oracle step by step: %s, %s head", async (loss, kind) => {
    expect(await compare(network(loss, kind), options, batches(8, 8))).toBeLessThan(1e-5);
  });

  it.each(["a", "b"] as const)(
    "follows the oracle with side %s locked and weight decay towards the start",
    async (side) => {
      const net = network("infonce", "mlp", side);
      const data = batches(8, side === "a" ? 6 : 8);
      expect(await compare(net, { ...options, decayTowards: "start" }, data)).toBeLessThan(1e-5);
    },
  );

  it("does several steps in one run as it does them one by one, bit for bit", async () => {
    const net = network("infonce", "linear");
    const data = batches(8, 8);
    const together = await openGraphStepper(net, initialState(net), { ...options, threads: 1 });
    const oneByOne = await openGraphStepper(net, initialState(net), { ...options, threads: 1 });
    const losses = await together.train(data, learningRates);
    const single: number[] = [];
    for (const [i, batch] of data.entries())
      single.push(...(await oneByOne.train([batch], [learningRates[i]])));
    expect(losses).toEqual(single);
    expect(together.state()).toEqual(oneByOne.state());
    await Promise.all([together.close(), oneByOne.close()]);
  });

  it("evaluates without changing the state", async () => {
    const net = network("sigmoid", "linear");
    const data = batches(8, 8);
    const graph = await openGraphStepper(net, initialState(net), { ...options, threads: 1 });
    const plain = plainStepper(net, initialState(net), options);
    const before = graph.state();
    const losses = await graph.evaluate(data);
    const expected = await plain.evaluate(data);
    // Measured at most 8e-7.
    for (const [i, loss] of losses.entries())
      expect(Math.abs(loss - expected[i])).toBeLessThan(2e-5);
    expect(graph.state()).toEqual(before);
    await graph.close();
  });

  it("never lets the logit scale pass 100", async () => {
    const net = { ...network("infonce", "linear"), logitScale: 99.9 };
    // Alike embeddings: told apart only at a large logit scale, so the loss wants to raise it.
    const noise = randomUnitRows(size, 8, 1);
    const x = Float32Array.from(
      unitRows(
        matrixOf(
          size,
          8,
          noise.data.map((v, k) => 0.1 * v + (k % 8 === 0 ? 1 : 0)),
        ),
      ).data,
    );
    const graph = await openGraphStepper(net, initialState(net), { ...options, threads: 1 });
    await graph.train([{ size, a: x, b: x }], [0.5]);
    expect(graph.state().parameters.logLogitScale.value[0]).toBe(Math.fround(Math.log(100)));
    await graph.close();
  });
});
