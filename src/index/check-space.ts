import { AppError } from "../errors.js";

/**
 * Embeddings on their way may meet a collection that was replaced under its name: by one of another
 * head, say.
 */
export function checkSpace(
  { name, space }: { name: string; space: string },
  expected: string,
): void {
  if (space !== expected) throw replacedMeanwhile(name);
}

export function replacedMeanwhile(name: string): AppError {
  return new AppError("conflict", `The collection "${name}" was replaced meanwhile; try again`, {
    param: "collection",
  });
}
