import type { ProjectionHead } from "../encoders/head.js";
import { type Random, seededRandom } from "../math/random.js";
import { concat, type Rows, rowCount } from "../math/rows.js";
import type { BridgeOptions } from "./bridge-options.js";
import type { TrainingControl } from "./run-epochs.js";
import { softRetrieve } from "./text-pivot.js";
import { trainHead } from "./train-head.js";

/**
 * Standard deviation of the noise on a 512-dimensional embedding; in other dimensions the noise has
 * the same length.
 */
const noiseAt512 = 0.025;

/**
 * A bridge learned the C-MCR way (Wang et al. 2023, https://arxiv.org/abs/2305.14381) with B left
 * untouched, as Ex-MCR does:
 *
 *   1. each text retrieves a sound a_i from A's memory and a picture v_i from B's, each the mean
 *      weighted by softmax(similarity / 0.01);
 *   2. Gaussian noise on what enters the head fills the space between the texts;
 *   3. an MLP f is trained by symmetric InfoNCE on all of (t_A, t_B), (a, v), (a, t_B), (t_A, v).
 *
 * The pairs across modalities take the place of C-MCR's intra loss: they pull f(a_i) and f(t_i) to
 * the same targets. Everything that one text retrieved carries its label, so that it is never its
 * own negative.
 */
export async function learnBridge(
  options: BridgeOptions,
  control: TrainingControl,
): Promise<ProjectionHead> {
  const { textsFrom, textsTo, memoryFrom, memoryTo, seed = 1, epochs = 20 } = options;
  const random = seededRandom(seed);
  const sourcesOf = (texts: Rows, memory: Rows | undefined) =>
    memory === undefined
      ? [texts]
      : [texts, softRetrieve(texts, memory, memory, { signal: control.signal })];
  const sources = sourcesOf(textsFrom, memoryFrom);
  const targets = sourcesOf(textsTo, memoryTo);
  const pairs = sources.flatMap((source) => targets.map((target) => ({ source, target })));
  const n = rowCount(textsFrom);
  const a = concat(pairs.map(({ source }) => noisy(source, random)));
  const b = concat(pairs.map(({ target }) => target));
  const result = await trainHead(
    {
      a: { ...a, head: { kind: "mlp" } },
      b: { ...b, head: "locked" },
      labels: Int32Array.from({ length: n * pairs.length }, (_, i) => i % n),
      options: {
        loss: "infonce",
        epochs,
        learningRate: 1e-3,
        seed,
        testShare: 0.05,
        validationShare: 0.05,
      },
    },
    control,
  );
  return result.a as ProjectionHead;
}

function noisy({ values, dimensions }: Rows, random: Random): Rows {
  const deviation = noiseAt512 * Math.sqrt(512 / dimensions);
  return { values: values.map((value) => value + deviation * random.normal()), dimensions };
}
