import type { ProjectionHead } from "../encoders/head.js";
import { AppError } from "../errors.js";
import { learnBridge } from "./c-mcr.js";
import { throwIfCancelled } from "./cancellation.js";
import { centroid, rowCount } from "./gap.js";
import { headAround, procrustes, ridge } from "./linear-bridge.js";
import type { TrainingControl } from "./train-head.js";
import type { Rows } from "./training-request.js";

export const bridgeMethods = ["ridge", "procrustes", "c-mcr"] as const;
export type BridgeMethod = (typeof bridgeMethods)[number];

/** What a bridge from space A to space B is learned from: no item of one is ever paired with an item of the other. */
export interface BridgeData {
  /** The same N texts in A and in B, unit rows. */
  textsFrom: Rows;
  textsTo: Rows;
  /** Unlabelled embeddings of the modality that will cross (sounds), in A. */
  memoryFrom?: Rows;
  /** Unlabelled embeddings of what will be searched (pictures), in B. */
  memoryTo?: Rows;
}

export interface BridgeOptions extends BridgeData {
  method: BridgeMethod;
  seed?: number;
  /** c-mcr: passes over the texts. */
  epochs?: number;
}

/**
 * Learns a head from space A into space B through the texts that both understand. B stays as it is.
 *
 * The closed forms map A's texts onto B's, each minus its mean; the head subtracts the mean of `memoryFrom`, so that sounds enter
 * where texts were fitted (without it: the mean of the texts).
 */
export async function fitBridge(
  options: BridgeOptions,
  control: TrainingControl = {},
): Promise<ProjectionHead> {
  const { method, textsFrom, textsTo, memoryFrom } = options;
  const fail = (param: string, message: string): never => {
    throw new AppError("invalid_input", message, { param });
  };
  if (rowCount(textsFrom) !== rowCount(textsTo)) {
    fail(
      "texts",
      `Expected every text in both spaces but received ${rowCount(textsFrom)} and ${rowCount(textsTo)}`,
    );
  }
  if (rowCount(textsFrom) < 16)
    fail("texts", `A bridge needs at least 16 texts but was given ${rowCount(textsFrom)}`);
  for (const [name, memory, texts] of [
    ["memoryFrom", memoryFrom, textsFrom],
    ["memoryTo", options.memoryTo, textsTo],
  ] as const) {
    if (memory !== undefined && memory.dimensions !== texts.dimensions) {
      fail(
        name,
        `Expected ${texts.dimensions} numbers for each row of "${name}" but received ${memory.dimensions}`,
      );
    }
  }
  throwIfCancelled(control.signal);
  if (method === "c-mcr") return learnBridge(options, control);
  const map = method === "ridge" ? ridge(textsFrom, textsTo) : procrustes(textsFrom, textsTo);
  return headAround(map, centroid(memoryFrom ?? textsFrom));
}
