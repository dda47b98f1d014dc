/**
 * Every way a request can fail by design. Each code has one row in docs/errors.md;
 * routes/error-response.ts gives its status.
 */
export const errorCodes = [
  "invalid_input",
  "unauthorized",
  "forbidden",
  "not_found",
  "model_not_found",
  "method_not_allowed",
  "already_exists",
  "conflict",
  "space_mismatch",
  "no_path",
  "too_slow",
  "too_large",
  "unsupported_media",
  "range_not_satisfiable",
  "undecodable_media",
  "url_refused",
  "fetch_failed",
  "overloaded",
  "rate_limited",
  "unavailable",
  "timeout",
  "cancelled",
  "model_corrupt",
  "device_unavailable",
  "hub_failed",
  "storage_full",
  "storage_corrupt",
  "storage_locked",
  "storage_unavailable",
  "storage_failed",
  "inference_failed",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/**
 * A failure by design: its message is written for the person who caused it and is safe to send to a
 * client.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  /** The request field (or option) at fault, as it is spelled on the wire. */
  readonly param: string | undefined;
  /**
   * For `overloaded`, `unavailable` and `storage_unavailable`: seconds after which a retry makes
   * sense.
   */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { param?: string; cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.param = options.param;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /**
   * The same error with its `param` prefixed by a part of the request: `top_k` within `queries[1]`
   * is `queries[1].top_k`.
   */
  within(part: string): AppError {
    const { code, message, param, cause, retryAfterSeconds } = this;
    const inside = param === undefined ? part : `${part}.${param}`;
    return new AppError(code, message, { param: inside, cause, retryAfterSeconds });
  }
}

/**
 * A field of the request that cannot be used: `param` names it, the message says what was expected
 * and what came.
 */
export function invalidInput(
  param: string | undefined,
  message: string,
  cause?: unknown,
): AppError {
  return new AppError("invalid_input", message, { param, cause });
}
