import type { Modality } from "../encoders/encoder.js";
import type { ProjectionHead } from "../encoders/head.js";
import { AppError } from "../errors.js";
import type { Bridge } from "../heads/bridge-version.js";
import { headedModalities, type UsableHead } from "../heads/head-version.js";
import { findPath, type Path, type PathParts, type Target } from "./find-path.js";

export interface HeadedTarget extends Target {
  /** What the collection's items went through; its space is the collection's. */
  head?: UsableHead;
}

/**
 * The path into a collection, through its head where it has one: the model's tower and the head of
 * that side. What comes over a bridge goes on as a text does: texts are what bridges are learned
 * from.
 *
 * @throws AppError as `findPath`; `no_path` when the head has no side for the modality.
 */
export function pathInto<M extends Modality>(
  parts: PathParts,
  modality: M,
  target: HeadedTarget,
): Path<M> {
  const { head } = target;
  if (head === undefined) return findPath(parts, modality, target);
  const path = findPath(parts, modality, { ...target, space: head.fromSpace });
  const side = path.projections.length === 0 ? modality : "text";
  if (!headedModalities(head).includes(side)) {
    const message = `No path from ${modality} to the collection "${target.name}": its head "${head.name}" is for ${headedModalities(head).join(" and ")}`;
    throw new AppError("no_path", message, { param: modality });
  }
  return {
    encoder: path.encoder,
    projections: [...path.projections, ...projectionOf(head, side)],
    steps: [...path.steps, `head/${head.name}@${head.version}`],
    keepsOriginal: true,
  };
}

/**
 * What leads an embedding that was made earlier into a head's space: the head of its side, or a
 * bridge and the head of texts. Undefined when nothing does.
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

/** The head of a side, none where that side was locked. */
export function projectionOf(head: UsableHead, modality: Modality): ProjectionHead[] {
  const projection = head.sides.a === modality ? head.a : head.b;
  return projection === undefined ? [] : [projection];
}

/** An embedding that was given with the name of another space. */
export function otherSpace({ name, space }: HeadedTarget, given: string): AppError {
  const message = `The embedding is of the space "${given}", but the collection "${name}" is in the space "${space}"`;
  return new AppError("space_mismatch", message, { param: "space" });
}
