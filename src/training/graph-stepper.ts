import { openSession, type Session, type Tensor } from "../encoders/session.js";
import {
  type Batch,
  copyState,
  initialState,
  type Network,
  type Stepper,
  type StepperOptions,
  type TrainingState,
} from "./network.js";
import { type StepSize, stepSize } from "./optimizer.js";
import { trainingGraph } from "./training-graph.js";

/**
 * Most steps in one run of the graph: enough to hide the transfer of the state, few enough to
 * cancel soon.
 */
const stepsPerRun = 32;
const maxBatchBytesPerRun = 64 * 1024 * 1024;

/** Training steps as one ONNX graph in ONNX Runtime, in a worker thread. */
export async function openGraphStepper(
  network: Network,
  start: TrainingState,
  options: StepperOptions & { threads?: number },
): Promise<Stepper> {
  const graph = trainingGraph(network, options);
  const anchors =
    options.optimizer.weightDecay > 0 && options.decayTowards === "start"
      ? initialState(network)
      : undefined;
  let current = copyState(start);
  const session: Session = await openSession({
    model: graph.model,
    device: "cpu",
    threads: options.threads,
  });

  function feedsOf(batches: readonly Batch[], sizes: readonly StepSize[]): Record<string, Tensor> {
    const { size } = batches[0];
    const count = batches.length;
    const float = (dims: number[], data: Float32Array): Tensor => ({ type: "float32", dims, data });
    const side = network.loss === "supervised-contrastive" ? 2 * size : size;
    const identity = new Float32Array(side * side);
    for (let i = 0; i < side; i++) identity[i * side + i] = 1;
    const feeds: Record<string, Tensor> = {
      a: float([count, size, batches[0].a.length / size], concatenate(batches.map(({ a }) => a))),
      b: float([count, size, batches[0].b.length / size], concatenate(batches.map(({ b }) => b))),
      identity: float([side, side], identity),
      inverseSize: float([], Float32Array.of(1 / size)),
    };
    for (const name of ["rate", "epsilon", "decay"] as const) {
      feeds[name] = float(
        [count],
        Float32Array.from(sizes, (step) => step[name]),
      );
    }
    if (network.loss === "supervised-contrastive") {
      const labels = new Int32Array(count * size);
      for (const [i, batch] of batches.entries()) labels.set(batch.labels ?? [], i * size);
      feeds.labels = { type: "int32", dims: [count, size], data: labels };
    }
    for (const { name, dims, decays } of graph.parameters) {
      const { value, first, second } = current.parameters[name];
      // Feeds are transferred to the session's thread, the state stays here
      feeds[name] = float([...dims], value.slice());
      feeds[`${name}/first`] = float([...dims], first.slice());
      feeds[`${name}/second`] = float([...dims], second.slice());
      if (anchors && decays)
        feeds[`${name}/anchor`] = float([...dims], anchors.parameters[name].value.slice());
    }
    return feeds;
  }

  /** @param learningRates  without them only the losses are computed. */
  async function run(
    batches: readonly Batch[],
    learningRates: readonly number[] | undefined,
  ): Promise<number[]> {
    const losses: number[] = [];
    const bytes = Math.max(
      1,
      batches[0] === undefined ? 1 : batches[0].a.byteLength + batches[0].b.byteLength,
    );
    const perRun = Math.max(1, Math.min(stepsPerRun, Math.floor(maxBatchBytesPerRun / bytes)));
    for (let from = 0; from < batches.length; from += perRun) {
      const some = batches.slice(from, from + perRun);
      const sizes = some.map((_, i) =>
        learningRates === undefined
          ? { rate: 0, epsilon: 1, decay: 0 } // the update is computed and discarded
          : stepSize(current.step + i + 1, learningRates[from + i], options.optimizer),
      );
      if (learningRates === undefined) {
        const { losses: ofRun } = await session.run(feedsOf(some, sizes), ["losses"]);
        losses.push(...(ofRun.data as Float32Array));
        continue;
      }
      const result = await session.run(feedsOf(some, sizes));
      losses.push(...(result.losses.data as Float32Array));
      const parameters = graph.parameters.map(({ name }) => [
        name,
        {
          value: result[`${name}/next`].data as Float32Array,
          first: result[`${name}/first/next`].data as Float32Array,
          second: result[`${name}/second/next`].data as Float32Array,
        },
      ]);
      current = { step: current.step + some.length, parameters: Object.fromEntries(parameters) };
    }
    return losses;
  }

  return {
    train: (batches, learningRates) => run(batches, learningRates),
    evaluate: (batches) => run(batches, undefined),
    state: () => copyState(current),
    close: () => session.close(),
  };
}

function concatenate(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let offset = 0;
  for (const array of arrays) {
    all.set(array, offset);
    offset += array.length;
  }
  return all;
}
