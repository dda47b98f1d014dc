import { AppError } from "../errors.js";

/**
 * A collection may be replaced under its name, for example by one of another head, while embeddings
 * are on their way to it.
 */
export function checkSpace(
  { name, space }: { name: string; space: string },
  expected: string,
): void {
  if (space !== expected) throw replacedMeanwhile(name);
}

export function replacedMeanwhile(name: string): AppError {
  return new AppError(
    "conflict",
    `The collection "${name}" has been replaced in the meantime; try again`,
    {
      param: "collection",
    },
  );
}
