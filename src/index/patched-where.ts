import type { Failure, ItemPatched } from "./item.js";

/** Failed items that are listed. */
const maxListedFailures = 100;

/** The outcome of a `patchWhere`: an item that fails does not affect the others. */
export interface PatchedWhere {
  updated: number;
  unchanged: number;
  /** The first of those that failed. */
  failed: { id: string; error: Failure }[];
  /** How many failed beyond those listed. */
  moreFailed: number;
}

export const nothingPatched = (): PatchedWhere => ({
  updated: 0,
  unchanged: 0,
  failed: [],
  moreFailed: 0,
});

/** Adds the outcome of a page of items to that of the pages before it. */
export function addPatched(outcome: PatchedWhere, statuses: readonly ItemPatched[]): void {
  for (const one of statuses) {
    if (one.status === "missing") continue; // deleted since it was found
    if (one.status !== "failed") outcome[one.status]++;
    else if (outcome.failed.length < maxListedFailures)
      outcome.failed.push({ id: one.id, error: one.error });
    else outcome.moreFailed++;
  }
}
