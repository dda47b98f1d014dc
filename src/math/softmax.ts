/** ln(sum(exp(x))), stable for large values. `logSumExp([0, 0])` is ln 2. */
export function logSumExp(values: ArrayLike<number>): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i] > max) max = values[i];
  if (max === Number.NEGATIVE_INFINITY) return max;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - max);
  return max + Math.log(sum);
}

/** exp(x_i) / sum(exp(x)), in float64. `softmax([0, ln 3])` is [0.25, 0.75]. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const result = new Float64Array(logits.length);
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (logits[i] > max) max = logits[i];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    result[i] = Math.exp(logits[i] - max);
    sum += result[i];
  }
  for (let i = 0; i < logits.length; i++) result[i] /= sum;
  return result;
}

/** 1 / (1 + exp(-x)), without overflow. `sigmoid(0)` is 0.5. */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}
