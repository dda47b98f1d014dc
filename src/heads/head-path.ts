import type { Modality } from "../encoders/encoder.js";
import type { ProjectionHead } from "../encoders/head.js";
import type { Bridge } from "./bridge-version.js";
import { headedModalities, type UsableHead } from "./head-version.js";

/**
 * The projections that lead an existing embedding into a head's space: the head of its side, or a
 * bridge and then the head of the text side. Undefined when there is no such path.
 */
export function pathFrom(
  space: string,
  modality: Modality,
  head: UsableHead,
  bridges: readonly Bridge[],
): ProjectionHead[] | undefined {
  const sides = headedModalities(head);
  if (space === head.fromSpace)
    return sides.includes(modality) ? projectionOf(head, modality) : undefined;
  const bridge = bridges.find(
    ({ fromSpace, toSpace }) => fromSpace === space && toSpace === head.fromSpace,
  );
  return bridge && sides.includes("text")
    ? [bridge.head, ...projectionOf(head, "text")]
    : undefined;
}

/** The projection of one side of a head; none when that side was locked. */
export function projectionOf(head: UsableHead, modality: Modality): ProjectionHead[] {
  const projection = head.sides.a === modality ? head.a : head.b;
  return projection === undefined ? [] : [projection];
}
