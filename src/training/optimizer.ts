export interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

export const adamWDefaults: AdamWOptions = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
};

/**
 * The numbers that an AdamW update needs beside its arrays. The update keeps weighted sums of past
 * gradients, S and Q, instead of the paper's means m = (1 - beta1) S and v = (1 - beta2) Q, and
 * puts the bias corrections in `rate` and `epsilon`, so that it takes the fewest passes over the
 * parameters:
 *
 *   S = beta1 S + g,   Q = beta2 Q + g^2,
 *   w = w - decay (w - anchor) - rate S / (sqrt(Q) + epsilon)
 *
 * Source: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101, algorithm 2.
 */
export interface StepSize {
  rate: number;
  epsilon: number;
  decay: number;
}

/** @param step  1 for the first update. */
export function stepSize(step: number, learningRate: number, options: AdamWOptions): StepSize {
  const { beta1, beta2, epsilon, weightDecay } = options;
  const mean = (1 - beta1) / (1 - beta1 ** step); // from S to the corrected mean
  // From sqrt(Q) to the corrected root mean square
  const root = Math.sqrt((1 - beta2) / (1 - beta2 ** step));
  return {
    rate: (learningRate * mean) / root,
    epsilon: epsilon / root,
    decay: learningRate * weightDecay,
  };
}

/** One parameter array with its running sums. */
export interface Moments {
  value: Float32Array;
  first: Float32Array;
  second: Float32Array;
}

/**
 * One update in place.
 * @param decayTo  what weight decay pulls towards; without it the parameter does not decay.
 */
export function adamWStep(
  { value, first, second }: Moments,
  gradient: ArrayLike<number>,
  { rate, epsilon, decay }: StepSize,
  { beta1, beta2 }: AdamWOptions,
  decayTo?: ArrayLike<number>,
): void {
  for (let i = 0; i < value.length; i++) {
    const g = gradient[i];
    const s = beta1 * first[i] + g;
    const q = beta2 * second[i] + g * g;
    first[i] = s;
    second[i] = q;
    const pull = decayTo === undefined ? 0 : decay * (value[i] - decayTo[i]);
    value[i] = value[i] - pull - (rate * s) / (Math.sqrt(q) + epsilon);
  }
}

/**
 * Learning rate of a step: a linear warm-up from 0, then half a cosine down to 0 at the last step.
 * @param step  0 for the first step.
 */
export function cosineSchedule(
  step: number,
  totalSteps: number,
  peak: number,
  warmupSteps: number,
): number {
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return (peak * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2;
}
