import { softmax } from "../../../../src/math/softmax.js";
import { fitLinearProbe, linearProbeLogits } from "../../../../src/training/few-shot.js";

export interface Labelled {
  /** Unit embeddings. */
  embeddings: readonly Float32Array[];
  /** The class of each, 0..classes-1. */
  labels: readonly number[];
  classes: number;
}

/** What the other examples predict for an example. */
export interface Prediction {
  label: number;
  probability: number;
}

/** More examples are predicted ten parts at a time instead of one by one, very many five. */
const maxLeftOut = 40;
const folds = 10;
const many = 400;
const foldsOfMany = 5;
/** This is an estimate: it need not converge to the last digit. */
const maxIterations = { few: 500, many: 150 };

/**
 * Predicts each example by a probe that was fitted to the others (leave one out; ten folds above
 * 40 examples, five above 400): the same fit as the server's, on data that it has not seen.
 *
 * @returns undefined for the only example of its class, which the others cannot know.
 */
export function crossValidate({
  embeddings,
  labels,
  classes,
}: Labelled): (Prediction | undefined)[] {
  const count = labels.length;
  const parts = count <= maxLeftOut ? count : count <= many ? folds : foldsOfMany;
  const members = new Array<number>(classes).fill(0);
  for (const label of labels) members[label]++;
  // Every class is spread over all parts.
  const order = labels.map((_, i) => i).sort((a, b) => labels[a] - labels[b]);
  const partOf = new Array<number>(count);
  for (const [place, i] of order.entries()) partOf[i] = place % parts;
  const predicted = new Array<Prediction | undefined>(count);
  for (let part = 0; part < parts; part++) {
    const train = [...labels.keys()].filter((i) => partOf[i] !== part);
    const present = [...new Set(train.map((i) => labels[i]))].sort((a, b) => a - b);
    if (present.length < 2) continue;
    const probe = fitLinearProbe(
      {
        ...rowsOf(train.map((i) => embeddings[i])),
        labels: Int32Array.from(train, (i) => present.indexOf(labels[i])),
        classes: present.length,
      },
      { maxIterations: count <= many ? maxIterations.few : maxIterations.many },
    );
    for (const i of labels.keys()) {
      if (partOf[i] !== part || members[labels[i]] < 2) continue;
      const [best] = ranked(softmax(linearProbeLogits(probe, embeddings[i])));
      predicted[i] = { label: present[best.label], probability: best.probability };
    }
  }
  return predicted;
}

/** The class that a probe predicts for each of the others, and its margin. */
export function predict(
  { embeddings, labels, classes }: Labelled,
  others: readonly Float32Array[],
): (Prediction & { margin: number })[] {
  const targets = { labels: Int32Array.from(labels), classes };
  const probe = fitLinearProbe(
    { ...rowsOf(embeddings), ...targets },
    { maxIterations: maxIterations.many },
  );
  return others.map((one) => {
    const [best, second] = ranked(softmax(linearProbeLogits(probe, one)));
    return { ...best, margin: best.probability - second.probability };
  });
}

export function rowsOf(embeddings: readonly Float32Array[]) {
  const dimensions = embeddings[0].length;
  const values = new Float32Array(embeddings.length * dimensions);
  for (const [row, embedding] of embeddings.entries()) values.set(embedding, row * dimensions);
  return { values, dimensions };
}

const ranked = (probabilities: ArrayLike<number>): Prediction[] =>
  Array.from(probabilities, (probability, label) => ({ label, probability })).sort(
    (a, b) => b.probability - a.probability,
  );

/**
 * Two-sided exact sign test: how likely `a` against `b` or something more uneven is if either side
 * were as likely. 5 against 0 is 0.0625, 6 against 0 is 0.03125.
 */
export function signTest(a: number, b: number): number {
  const count = a + b;
  let logTerm = -count * Math.LN2; // Of none among `count`; as it is, it would underflow
  let tail = Math.exp(logTerm);
  for (let i = 1; i <= Math.min(a, b); i++) {
    logTerm += Math.log((count - i + 1) / i);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}

/**
 * Wilson's 95 % interval of a share. Of 10 right in 10 it is 0.722 to 1.
 * Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953
 */
export function wilsonInterval(right: number, count: number): [number, number] {
  const z = 1.959964;
  const share = right / count;
  const centre = share + z ** 2 / (2 * count);
  const spread = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  const scale = 1 + z ** 2 / count;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}
