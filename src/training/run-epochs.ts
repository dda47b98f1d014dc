import { invalidInput } from "../errors.js";
import { seededRandom } from "../math/random.js";
import { distinctRows, take } from "../math/rows.js";
import { batchAt, drawBeta, epochBatches } from "./batches.js";
import { type Cancellation, throwIfCancelled } from "./cancellation.js";
import { type Checkpoint, type EpochRecord, writeCheckpoint } from "./checkpoint.js";
import { isGraphLoss } from "./graph-losses.js";
import { maxLogitScale, type Stepper, type TrainingState } from "./network.js";
import { cosineSchedule } from "./optimizer.js";
import type { RunReport } from "./run-report.js";
import {
  batchLabels,
  type Split,
  type TrainingOptions,
  type TrainingRequest,
} from "./training-request.js";

export interface TrainingControl {
  signal?: Cancellation;
  /** Called after each epoch. */
  onProgress?: (progress: TrainingProgress) => void;
  /**
   * Written after each epoch; a run that finds its checkpoint continues from it. The caller deletes
   * it.
   */
  checkpointPath?: string;
  /** Threads of ONNX Runtime; the results of a run are the same only for the same number. */
  threads?: number;
}

export interface TrainingProgress extends EpochRecord {
  epochs: number;
}

const hasFiniteWeights = ({ parameters }: TrainingState) =>
  Object.values(parameters).every((moments) =>
    [moments.value, moments.first, moments.second].every((part) => part.every(Number.isFinite)),
  );

/** ln 100 in float32 is a little more than ln 100. */
export const scaleOf = ({ parameters }: TrainingState) =>
  Math.min(maxLogitScale, Math.exp(parameters.logLogitScale.value[0]));

/** Trains `run` to the end, and keeps it up to date. */
export async function runEpochs(
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
  // Pairs of one label, or with equal features, say nothing about when to stop.
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
  // Few enough at a time to notice a cancellation soon; the plain stepper blocks its thread for a
  // whole call.
  const batchesPerCall = isGraphLoss(options.loss) ? 32 : 1;
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
      stepper.evaluate(some.map((positions) => batchAt(request, positions))),
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
          batchAt(
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
