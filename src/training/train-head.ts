import { createHash } from "node:crypto";
import { AppError, invalidInput } from "../errors.js";
import { matrixOf } from "../math/matrix.js";
import { seededRandom } from "../math/random.js";
import { cosines, distinctRows, take } from "../math/rows.js";
import { drawBeta, drawSplit, epochBatches, gatherBatch } from "./batches.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";
import {
  type Checkpoint,
  type EpochRecord,
  readCheckpoint,
  writeCheckpoint,
} from "./checkpoint.js";
import { openGraphStepper } from "./graph-stepper.js";
import { initialHead } from "./initial-head.js";
import { symmetricCrossEntropy } from "./losses/info-nce.js";
import { type Heads, maxMeasuredPairs, measureHeads } from "./measure-heads.js";
import {
  headOf,
  initialLogitScale,
  initialState,
  maxLogitScale,
  type Network,
  type Stepper,
  type TrainingState,
} from "./network.js";
import { adamWDefaults, cosineSchedule } from "./optimizer.js";
import { plainStepper } from "./plain-stepper.js";
import { type RunReport, verdictOf } from "./run-report.js";
import { graphLosses } from "./training-graph.js";
import {
  batchLabels,
  checkRequest,
  hashOfData,
  type Split,
  type TrainingOptions,
  type TrainingRequest,
  type TrainingSide,
  withUnitRows,
} from "./training-request.js";

export interface TrainingControl {
  signal?: Cancellation;
  /** Told after each epoch. */
  onProgress?: (progress: TrainingProgress) => void;
  /** Written after each epoch; a run that finds its own checkpoint there goes on from it. The caller deletes it. */
  checkpointPath?: string;
  /** Threads of ONNX Runtime; the results of a run are the same only for the same number. */
  threads?: number;
}

export interface TrainingProgress extends EpochRecord {
  epochs: number;
}

export interface TrainingResult extends Heads {
  logitScale: number;
  logitBias: number;
  report: RunReport;
}

/**
 * Trains heads on pairs of stored embeddings and measures, on pairs kept aside, what that did.
 *
 * The same request, threads and machine give the same weights, whether or not the run was interrupted and resumed.
 *
 * @throws AppError `invalid_input` for a request that cannot be trained on, `cancelled` when the signal aborts,
 *   `conflict` when the checkpoint is another run's.
 */
export async function trainHead(
  given: TrainingRequest,
  control: TrainingControl = {},
): Promise<TrainingResult> {
  const { pairs, options } = checkRequest(given);
  const sha256 = hashOfData(given);
  const request = withUnitRows(given);
  const split =
    request.split ??
    drawSplit(
      pairs,
      options.validationShare,
      options.testShare,
      seededRandom(options.seed),
      request.labels,
    );
  if (split.train.length < 4 || split.test.length < 1) {
    const message = "The split leaves fewer than 4 pairs to train on or none to test on";
    throw invalidInput("split", message);
  }
  checkSplitLabels(request, options, split);
  const network = startingNetwork(request, options, split);
  const fingerprint = createHash("sha256")
    .update(
      JSON.stringify([
        sha256,
        options,
        split,
        request.a.head,
        request.b.head,
        request.b.dimensions,
      ]),
    )
    .digest("hex");
  const found =
    control.checkpointPath && (await readCheckpoint(control.checkpointPath, fingerprint));
  const start = initialState(network);
  const run: Checkpoint = found || {
    fingerprint,
    state: start,
    best: { epoch: 0, loss: 0, state: start },
    epochs: [],
  };
  const steppers = {
    optimizer: { ...adamWDefaults, weightDecay: options.weightDecay },
    ...options,
    ...control,
  };
  const stepper = graphLosses.includes(options.loss)
    ? await openGraphStepper(network, run.state, steppers)
    : plainStepper(network, run.state, steppers);
  let stoppedBy: RunReport["stoppedBy"];
  try {
    stoppedBy = await runEpochs(request, options, split, stepper, run, control);
  } finally {
    await stepper.close();
  }

  const [a, b] = [headOf(network, "a", run.best.state), headOf(network, "b", run.best.state)];
  const measured = measure(request, split, options, network, { a, b });
  const report: RunReport = {
    options,
    heads: { a: network.a?.kind ?? "locked", b: network.b?.kind ?? "locked" },
    data: {
      pairs,
      train: split.train.length,
      validation: split.validation.length,
      test: Math.min(split.test.length, maxMeasuredPairs),
      ...(request.labels && { labels: new Set(request.labels).size }),
      sha256,
    },
    epochs: run.epochs,
    bestEpoch: run.best.epoch,
    stoppedBy,
    ...measured,
    verdict: verdictOf(measured.measures, run.best.epoch, measured.forgetting),
  };
  const { logitBias } = run.best.state.parameters;
  return { a, b, logitScale: scaleOf(run.best.state), logitBias: logitBias.value[0], report };
}

/** @throws AppError `invalid_input` where a head has lost its direction: ReLUs that never fire again. */
function measure(
  request: TrainingRequest,
  split: Split,
  options: TrainingOptions,
  started: Heads,
  trained: Heads,
) {
  try {
    return measureHeads(request, split, options.seed, started, trained);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "inference_failed") throw error;
    throw invalidInput("head", `These heads cannot be used: ${error.message}`, error);
  }
}

/** A split of the caller's may train on one label; one that is drawn never does. */
function checkSplitLabels(request: TrainingRequest, options: TrainingOptions, split: Split): void {
  const labels = batchLabels(request, options);
  if (labels === undefined || new Set(split.train.map((at) => labels[at])).size > 1) return;
  const all = new Set(labels).size;
  const message = `The ${split.train.length} pairs of "split.train" have one label (of ${all})`;
  throw invalidInput(
    "split",
    `${message}: there is nothing to tell apart. Add pairs of another label`,
  );
}

function startingNetwork(
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
 * Where InfoNCE of comparable sides starts: the logit scale under which the untrained embeddings have the least loss. From
 * a lower one, heads would first learn to stretch what the encoder got right; elsewhere CLIP's start, 1 / 0.07.
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

const hasFiniteWeights = ({ parameters }: TrainingState) =>
  Object.values(parameters).every((moments) =>
    [moments.value, moments.first, moments.second].every((part) => part.every(Number.isFinite)),
  );

/** ln 100 in float32 is a little more than ln 100. */
const scaleOf = ({ parameters }: TrainingState) =>
  Math.min(maxLogitScale, Math.exp(parameters.logLogitScale.value[0]));

/** Trains from where `run` stands to the end, and keeps `run` up to date. */
async function runEpochs(
  request: TrainingRequest,
  options: TrainingOptions,
  split: Split,
  stepper: Stepper,
  run: Checkpoint,
  { signal, onProgress, checkpointPath }: TrainingControl,
): Promise<RunReport["stoppedBy"]> {
  const labels = batchLabels(request, options);
  const draw = (positions: readonly number[], stream: number) => {
    const random = seededRandom(Math.imul(options.seed + 1, 0x9e3779b1) ^ stream);
    return { batches: epochBatches(positions, options.batchSize, random, labels), random };
  };
  // Pairs of one label, or of features that are alike, say nothing about when to stop.
  const oneLabel = labels && new Set(split.validation.map((at) => labels[at])).size < 2;
  const validation =
    split.validation.length < 4 || oneLabel
      ? []
      : draw(split.validation, 0).batches.filter((positions) => {
          const features = options.loss === "expclr" ? request.features : undefined;
          return features === undefined || distinctRows(take(features, positions)) > 1;
        });
  const stepsOfEpoch = draw(split.train, 1).batches.length;
  const totalSteps = stepsOfEpoch * options.epochs;
  const warmupSteps = Math.round(options.warmup * totalSteps);
  // Few enough at a time to hear a cancellation soon; the plain stepper holds its thread for a whole call.
  const batchesPerCall = graphLosses.includes(options.loss) ? 32 : 1;
  const inTurns = async (
    batches: readonly number[][],
    work: (some: readonly number[][], from: number) => Promise<number[]>,
  ) => {
    const losses: number[] = [];
    for (let from = 0; from < batches.length; from += batchesPerCall) {
      await new Promise((resolve) => setImmediate(resolve));
      throwIfCancelled(signal);
      losses.push(...(await work(batches.slice(from, from + batchesPerCall), from)));
    }
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };
  const validationLoss = () =>
    inTurns(validation, (some) =>
      stepper.evaluate(some.map((positions) => gatherBatch(request, positions))),
    );

  if (run.epochs.length === 0 && validation.length > 0) run.best.loss = await validationLoss();
  for (let epoch = run.epochs.length + 1; epoch <= options.epochs; epoch++) {
    if (
      options.patience > 0 &&
      validation.length > 0 &&
      epoch - 1 - run.best.epoch >= options.patience
    )
      return "patience";
    const { batches, random } = draw(split.train, epoch);
    const first = (epoch - 1) * stepsOfEpoch;
    const rate = (i: number) =>
      cosineSchedule(first + i, totalSteps, options.learningRate, warmupSteps);
    const trainLoss = await inTurns(batches, (some, from) =>
      stepper.train(
        some.map((positions) =>
          gatherBatch(
            request,
            positions,
            options.mixup > 0 ? drawBeta(options.mixup, random) : undefined,
          ),
        ),
        some.map((_, i) => rate(from + i)),
      ),
    );
    run.state = stepper.state();
    const record: EpochRecord = {
      epoch,
      trainLoss,
      logitScale: scaleOf(run.state),
      learningRate: rate(batches.length - 1),
    };
    if (validation.length > 0) record.validationLoss = await validationLoss();
    if (!Number.isFinite(trainLoss) || !hasFiniteWeights(run.state)) {
      const message = `Training diverged in epoch ${epoch}: try a lower learning rate`;
      throw invalidInput("learning_rate", message);
    }
    run.epochs.push(record);
    if (record.validationLoss === undefined || record.validationLoss < run.best.loss) {
      run.best = { epoch, loss: record.validationLoss ?? 0, state: run.state };
    }
    if (checkpointPath !== undefined) await writeCheckpoint(checkpointPath, run);
    onProgress?.({ ...record, epochs: options.epochs });
  }
  return "epochs";
}
