import { existsSync } from "node:fs";
import { AppError } from "../errors.js";
import { readSealed, writeSealed } from "../files/sealed-file.js";
import { readSafetensors, type SafeTensors, writeSafetensors } from "../math/safetensors.js";
import type { TrainingState } from "./network.js";
import type { Moments } from "./optimizer.js";

/** Record of one epoch. Losses are in the unit of the run's loss. */
export interface EpochRecord {
  /** 1 for the first. */
  epoch: number;
  trainLoss: number;
  /** Absent when no pairs were kept for validation. */
  validationLoss?: number;
  logitScale: number;
  learningRate: number;
}

/** Everything a run needs to continue after its process has ended. */
export interface Checkpoint {
  /** Identifies the data and options; another run's checkpoint is refused. */
  fingerprint: string;
  state: TrainingState;
  best: { epoch: number; loss: number; state: TrainingState };
  epochs: EpochRecord[];
}

/** Whenever the process ends, there is a complete checkpoint. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const tensors: SafeTensors["tensors"] = {};
  const add = (prefix: string, state: TrainingState) => {
    for (const [name, moments] of Object.entries(state.parameters)) {
      for (const part of ["value", "first", "second"] as const) {
        tensors[`${prefix} ${name} ${part}`] = {
          shape: [moments[part].length],
          data: moments[part],
        };
      }
    }
  };
  add("state", checkpoint.state);
  add("best", checkpoint.best.state);
  const { fingerprint, epochs, state, best } = checkpoint;
  const run = {
    fingerprint,
    epochs,
    step: state.step,
    best: { epoch: best.epoch, loss: best.loss, step: best.state.step },
  };
  const bytes = writeSafetensors({
    tensors,
    metadata: { format: "crossmodal-checkpoint", run: JSON.stringify(run) },
  });
  await writeSealed(path, bytes);
}

/**
 * @returns undefined when there is no checkpoint.
 * @throws AppError `conflict` when the checkpoint is another run's; `storage_corrupt` when it is
 *   damaged.
 */
export async function readCheckpoint(
  path: string,
  fingerprint: string,
): Promise<Checkpoint | undefined> {
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = readSafetensors(await readSealed(path));
  const run = JSON.parse(metadata.run ?? "{}");
  if (run.fingerprint !== fingerprint) {
    throw new AppError(
      "conflict",
      "The checkpoint belongs to a run with other data or options: delete it to start again",
    );
  }
  const stateOf = (prefix: string, step: number): TrainingState => {
    const parameters: Record<string, Moments> = {};
    for (const [name, { data }] of Object.entries(tensors)) {
      const [owner, parameter, part] = name.split(" ");
      if (owner !== prefix) continue;
      parameters[parameter] ??= { value: data, first: data, second: data };
      parameters[parameter][part as keyof Moments] = data;
    }
    return { step, parameters };
  };
  return {
    fingerprint,
    epochs: run.epochs,
    state: stateOf("state", run.step),
    best: { epoch: run.best.epoch, loss: run.best.loss, state: stateOf("best", run.best.step) },
  };
}
