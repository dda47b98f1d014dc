import { invalidInput } from "../errors.js";
import { matrixOf } from "../math/matrix.js";
import { seededRandom } from "../math/random.js";
import { cosines, take } from "../math/rows.js";
import { epochBatches } from "./batches.js";
import { initialHead } from "./initial-head.js";
import { symmetricCrossEntropy } from "./losses/info-nce.js";
import { initialLogitScale, maxLogitScale, type Network } from "./network.js";
import type { Split, TrainingOptions, TrainingRequest, TrainingSide } from "./training-request.js";

/**
 * The heads and the logit scale at the start of training.
 * @throws AppError `invalid_input` for a side that a residual head, or none, cannot bring to the
 *   other side's dimensions.
 */
export function startingNetwork(
  request: TrainingRequest,
  options: TrainingOptions,
  split: Split,
): Network {
  const random = seededRandom(options.seed ^ 0x68656164); // not the stream that draws the split
  const target =
    request.third && options.loss === "three-towers"
      ? request.third.dimensions
      : request.b.head === "locked"
        ? request.b.dimensions
        : request.a.head === "locked"
          ? request.a.dimensions
          : Math.min(request.a.dimensions, request.b.dimensions);
  const head = (side: TrainingSide, name: string) => {
    const choice = side.head ?? { kind: "linear" };
    if (choice !== "locked" && !(choice.kind === "residual" && side.dimensions !== target)) {
      return initialHead(choice, side.dimensions, target, random);
    }
    if (side.dimensions === target) return undefined;
    throw invalidInput(
      name,
      `Side "${name}" has ${side.dimensions} dimensions, its head must give ${target}`,
    );
  };
  const sigmoid = options.loss === "sigmoid";
  return {
    loss: options.loss,
    a: head(request.a, "a"),
    b: head(request.b, "b"),
    // SigLIP starts at scale 10 and bias -10: Zhai et al. 2023, section 3.
    logitScale: options.logitScale ?? (sigmoid ? 10 : fittedLogitScale(request, options, split)),
    logitBias: sigmoid ? -10 : 0,
    learnLogits: options.learnLogits,
  };
}

/**
 * InfoNCE of comparable sides starts at the logit scale with the least loss of the untrained
 * embeddings. From a lower one, heads would first learn to scale up; otherwise CLIP's start, 1 /
 * 0.07.
 */
function fittedLogitScale(
  request: TrainingRequest,
  options: TrainingOptions,
  split: Split,
): number {
  if (options.loss !== "infonce" || request.a.dimensions !== request.b.dimensions)
    return initialLogitScale;
  const random = seededRandom(options.seed);
  const [positions] = epochBatches(
    split.train,
    Math.min(256, options.batchSize),
    random,
    request.labels,
  );
  const size = positions.length;
  const untrained = cosines(take(request.a, positions), take(request.b, positions));
  const loss = (scale: number) =>
    symmetricCrossEntropy(
      matrixOf(
        size,
        size,
        untrained.map((c) => scale * c),
      ),
    ).loss;
  return [initialLogitScale, 20, 30, 40, 50, 60, 80, maxLogitScale].reduce((best, scale) =>
    loss(scale) < loss(best) ? scale : best,
  );
}
