import { AppError } from "../errors.js";

/** Of a neighbour in an answer, besides its id, metadata and source. */
export const bytesPerNeighbor = 96;

/** Thrown before an answer is read that would be larger than allowed, or while it is. */
export function tooLargeAnswer(): AppError {
  const message =
    "The answer is larger than a search may give (option maxAnswerBytes); " +
    "ask for fewer results or fewer queries, or turn pages with cursor";
  return new AppError("too_large", message, { param: "top_k" });
}
