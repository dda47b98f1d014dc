import { AppError } from "../errors.js";

/** Size of a neighbour in an answer, besides its id, metadata and source. */
export const bytesPerNeighbor = 96;

/** Thrown before or while an answer is read that would be larger than allowed. */
export function tooLargeAnswer(): AppError {
  const message =
    "The answer would be larger than allowed (option maxAnswerBytes); " +
    "ask for fewer results or fewer queries, or page with cursor";
  return new AppError("too_large", message, { param: "top_k" });
}
