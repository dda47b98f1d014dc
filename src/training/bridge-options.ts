import type { Rows } from "../math/rows.js";

export const bridgeMethods = ["ridge", "procrustes", "c-mcr"] as const;
export type BridgeMethod = (typeof bridgeMethods)[number];

/**
 * The training data of a bridge from space A to space B: no item of one is ever paired with an item
 * of the other.
 */
export interface BridgeData {
  /** The same N texts in A and in B, unit rows. */
  textsFrom: Rows;
  textsTo: Rows;
  /** Unlabelled embeddings of the query modality (sounds), in A. */
  memoryFrom?: Rows;
  /** Unlabelled embeddings of the searched items (pictures), in B. */
  memoryTo?: Rows;
}

export interface BridgeOptions extends BridgeData {
  method: BridgeMethod;
  seed?: number;
  /** c-mcr: passes over the texts. */
  epochs?: number;
}
