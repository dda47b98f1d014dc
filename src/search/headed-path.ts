import type { Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { projectionOf } from "../heads/head-path.js";
import { headedModalities, type UsableHead } from "../heads/head-version.js";
import { findPath, type Path, type PathParts, type Target } from "./find-path.js";

export interface HeadedTarget extends Target {
  /** The head of the collection's items; its space is the collection's. */
  head?: UsableHead;
}

/**
 * The path into a collection, through its head if it has one: the model's tower and the head of
 * that side. Inputs over a bridge continue like texts, since bridges are learned from texts.
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
    const message =
      `No path from ${modality} to the collection "${target.name}": its head "${head.name}" is ` +
      `for ${headedModalities(head).join(" and ")}`;
    throw new AppError("no_path", message, { param: modality });
  }
  return {
    encoder: path.encoder,
    projections: [...path.projections, ...projectionOf(head, side)],
    steps: [...path.steps, `head/${head.name}@${head.version}`],
    keepsOriginal: true,
  };
}

/** The error for an embedding of another space. */
export function otherSpace({ name, space }: HeadedTarget, otherName: string): AppError {
  const message =
    `The embedding is of the space "${otherName}", but the collection "${name}" is in the space ` +
    `"${space}"`;
  return new AppError("space_mismatch", message, { param: "space" });
}
