import type { Affine, ProjectionHead } from "../encoders/head.js";
import type { LossName } from "./losses/loss.js";
import type { AdamWOptions, Moments } from "./optimizer.js";

/**
 * CLIP's bound and starting value of the learned logit scale: 1 / 0.07. Radford et al. 2021,
 * section 2.5.
 */
export const maxLogitScale = 100;
export const initialLogitScale = 1 / 0.07;

/** What is trained: a head for each side (none where the side is locked), and the logit scale. */
export interface Network {
  loss: LossName;
  /** `undefined` = locked: embeddings of that side are unchanged (LiT). */
  a: ProjectionHead | undefined;
  b: ProjectionHead | undefined;
  logitScale: number;
  logitBias: number;
  /** false keeps the logit scale and bias fixed. */
  learnLogits: boolean;
}

/**
 * Everything that a training step changes. Parameters are named `a.weight`, `b.bias2`,
 * `logLogitScale`, …
 */
export interface TrainingState {
  /** Updates done so far. */
  step: number;
  parameters: Record<string, Moments>;
}

/**
 * One batch: row i of `a` and row i of `b` are a pair. All batches of one run have the same size.
 */
export interface Batch {
  size: number;
  /** [size, dimensions of side a] */
  a: Float32Array;
  b: Float32Array;
  labels?: Int32Array;
  /** three-towers: [size, dimensions out]. */
  third?: Float32Array;
  /** expclr: [size, any]. */
  features?: Float32Array;
}

/** Runs training steps on its state. */
export interface Stepper {
  /**
   * Trains on the batches in turn, one update each.
   * @param learningRates  one for each batch.
   * @returns the loss of each batch before its update.
   */
  train(batches: readonly Batch[], learningRates: readonly number[]): Promise<number[]>;
  /** The loss of each batch with the current state. */
  evaluate(batches: readonly Batch[]): Promise<number[]>;
  /** A copy of the state. */
  state(): TrainingState;
  close(): Promise<void>;
}

export interface StepperOptions {
  optimizer: AdamWOptions;
  /**
   * Weight decay pulls weights towards zero, or towards their start (which keeps the encoder's
   * knowledge).
   */
  decayTowards: "zero" | "start";
}

/**
 * The parameters of a side in the order of its layers: `a.weight` and `a.bias`, or `a.weight1`, …,
 * `a.bias2`.
 */
export function layerNames(
  side: "a" | "b",
  head: ProjectionHead,
): { weight: string; bias: string; layer: Affine }[] {
  return head.layers.map((layer, i) => {
    const suffix = head.layers.length === 1 ? "" : String(i + 1);
    return { weight: `${side}.weight${suffix}`, bias: `${side}.bias${suffix}`, layer };
  });
}

/** The state before the first step. */
export function initialState(network: Network): TrainingState {
  const parameters: Record<string, Moments> = {};
  const add = (name: string, value: Float32Array) => {
    parameters[name] = {
      value: value.slice(),
      first: new Float32Array(value.length),
      second: new Float32Array(value.length),
    };
  };
  for (const side of ["a", "b"] as const) {
    const head = network[side];
    if (head === undefined) continue;
    for (const { weight, bias, layer } of layerNames(side, head)) {
      add(weight, layer.weight);
      add(bias, layer.bias);
    }
  }
  add("logLogitScale", Float32Array.of(Math.log(network.logitScale)));
  add("logitBias", Float32Array.of(network.logitBias));
  return { step: 0, parameters };
}

export function copyState(state: TrainingState): TrainingState {
  const parameters = Object.entries(state.parameters).map(([name, { value, first, second }]) => [
    name,
    { value: value.slice(), first: first.slice(), second: second.slice() },
  ]);
  return { step: state.step, parameters: Object.fromEntries(parameters) };
}

/** The head of a side with the values of a state. */
export function headOf(
  network: Network,
  side: "a" | "b",
  state: TrainingState,
): ProjectionHead | undefined {
  const head = network[side];
  if (head === undefined) return undefined;
  const layers = layerNames(side, head).map(({ weight, bias, layer }) => ({
    ...layer,
    weight: state.parameters[weight].value,
    bias: state.parameters[bias].value,
  }));
  return { ...head, layers } as ProjectionHead;
}
