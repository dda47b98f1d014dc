import { z } from "zod";
import { errorCodes } from "../errors.js";

/**
 * The error of an answer with a status of 400 or more, or of one part of a larger answer.
 */
export const ErrorBody = z.object({
  code: z.enum([...errorCodes, "internal"]).meta({ description: "See docs/errors.md" }),
  message: z.string(),
  param: z.string().nullable().meta({ description: "The field at fault, `queries[1].top_k`" }),
  type: z.enum(["invalid_request_error", "rate_limit_error", "server_error"]),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

export const ErrorAnswer = z.object({ error: ErrorBody });
export type ErrorAnswer = z.infer<typeof ErrorAnswer>;
