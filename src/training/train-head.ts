import { createHash } from "node:crypto";
import { AppError, invalidInput } from "../errors.js";
import { contentOrder } from "../math/content-order.js";
import { seededRandom } from "../math/random.js";
import { drawSplit } from "./batches.js";
import { type Checkpoint, readCheckpoint } from "./checkpoint.js";
import { isGraphLoss } from "./graph-losses.js";
import { openGraphStepper } from "./graph-stepper.js";
import { type Heads, maxMeasuredPairs, measureHeads } from "./measure-heads.js";
import { headOf, initialState } from "./network.js";
import { adamWDefaults } from "./optimizer.js";
import { plainStepper } from "./plain-stepper.js";
import { runEpochs, scaleOf, type TrainingControl } from "./run-epochs.js";
import { type RunReport, verdictOf } from "./run-report.js";
import { startingNetwork } from "./starting-network.js";
import {
  batchLabels,
  checkRequest,
  hashOfData,
  type Split,
  type TrainingOptions,
  type TrainingRequest,
  withUnitRows,
} from "./training-request.js";

export interface TrainingResult extends Heads {
  logitScale: number;
  logitBias: number;
  report: RunReport;
}

/**
 * Trains heads on pairs of stored embeddings and measures the effect on held-out pairs.
 *
 * The same request, threads and machine give the same weights, whether or not the run was
 * interrupted and resumed.
 *
 * @throws AppError `invalid_input` for a request that cannot be trained on, `cancelled` when the
 *   signal aborts, `conflict` when the checkpoint belongs to another run.
 */
export async function trainHead(
  unchecked: TrainingRequest,
  control: TrainingControl = {},
): Promise<TrainingResult> {
  const { pairs, options } = checkRequest(unchecked);
  const sha256 = hashOfData(unchecked);
  const request = withUnitRows(unchecked);
  const split = splitOf(request, options);
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
  const stepper = isGraphLoss(options.loss)
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
    verdict: verdictOf({
      ...measured,
      bestEpoch: run.best.epoch,
      pairs: Math.min(split.test.length, maxMeasuredPairs),
      activeVersion: request.active?.version,
    }),
  };
  const { logitBias } = run.best.state.parameters;
  return { a, b, logitScale: scaleOf(run.best.state), logitBias: logitBias.value[0], report };
}

/**
 * The split of the request, or one by the pairs' content: whatever the seed and the order of pairs,
 * the same ones are tested, so that versions of one name can be compared. Excluded pairs stay in
 * the test set for the same reason.
 */
function splitOf(request: TrainingRequest, options: TrainingOptions): Split {
  const { validationShare, testShare } = options;
  const order = [...contentOrder([request.a, request.b], 0)];
  const { train, validation, test } =
    request.split ?? drawSplit(order, validationShare, testShare, seededRandom(0), request.labels);
  const excluded = new Set(request.exclude);
  const kept = (part: readonly number[]) => part.filter((at) => !excluded.has(at));
  return { train: kept(train), validation: kept(validation), test };
}

/**
 * @throws AppError `invalid_input` where a head's output became zero: ReLUs that no longer fire.
 */
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

/** A given split may train on a single label; a drawn one never does. */
function checkSplitLabels(request: TrainingRequest, options: TrainingOptions, split: Split): void {
  const labels = batchLabels(request, options);
  if (labels === undefined || new Set(split.train.map((at) => labels[at])).size > 1) return;
  const all = new Set(labels).size;
  const message = `The ${split.train.length} pairs of "split.train" have one label (of ${all})`;
  throw invalidInput("split", `${message}: there is nothing to learn. Add pairs of another label`);
}
