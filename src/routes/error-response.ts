import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AppError, type ErrorCode } from "../errors.js";
import type { Log } from "../log.js";
import type { ErrorAnswer, ErrorBody } from "../wire/error.js";

/**
 * The only place where an error meets an HTTP status. A new ErrorCode without a row here does not
 * compile.
 */
export const statusOf = {
  invalid_input: 400,
  unauthorized: 401,
  forbidden: 403,
  url_refused: 403,
  not_found: 404,
  model_not_found: 404,
  method_not_allowed: 405,
  too_slow: 408,
  already_exists: 409,
  conflict: 409,
  space_mismatch: 409,
  no_path: 409,
  too_large: 413,
  unsupported_media: 415,
  range_not_satisfiable: 416,
  undecodable_media: 422,
  overloaded: 429,
  rate_limited: 429,
  cancelled: 499,
  model_corrupt: 500,
  inference_failed: 500,
  storage_failed: 500,
  storage_corrupt: 500,
  fetch_failed: 502,
  hub_failed: 502,
  device_unavailable: 503,
  storage_locked: 503,
  storage_unavailable: 503,
  unavailable: 503,
  timeout: 504,
  storage_full: 507,
} as const satisfies Record<ErrorCode, number>;

/** An error on the wire: `{"error": {"code", "message", "param", "type"}}`. */
export function errorBody(error: AppError): ErrorBody {
  const status = statusOf[error.code];
  const type =
    status === 429 ? "rate_limit_error" : status < 500 ? "invalid_request_error" : "server_error";
  return { code: error.code, message: error.message, param: error.param ?? null, type };
}

/** The public form of an error. */
export interface ReportedError {
  status: number;
  body: ErrorBody;
}

/**
 * An AppError says what was wrong; anything else is a bug, logged here and hidden from the client.
 * Sets `Retry-After`.
 */
export function reportError(log: Log, error: Error, c: Context): ReportedError {
  const where = { path: c.req.path, requestId: c.get("requestId") as string | undefined };
  if (error instanceof AppError) {
    const status = statusOf[error.code];
    if (status >= 500) log.error({ err: error, ...where }, error.message);
    if (error.retryAfterSeconds !== undefined)
      c.header("Retry-After", String(Math.ceil(error.retryAfterSeconds)));
    return { status, body: errorBody(error) };
  }
  if (error instanceof HTTPException && error.status < 500) {
    const { status, message } = error;
    const type = "invalid_request_error";
    return { status, body: { code: "invalid_input", message, param: null, type } };
  }
  if (clientLeft(error, c)) {
    const left = new AppError("cancelled", "The client closed the connection");
    return { status: statusOf.cancelled, body: errorBody(left) };
  }
  log.error({ err: error, ...where }, "internal error");
  const body: ErrorBody = {
    code: "internal",
    message: "Internal server error",
    param: null,
    type: "server_error",
  };
  return { status: 500, body };
}

/** Whether the request ended early: nobody is there to read the answer. */
function clientLeft(error: Error, c: Context): boolean {
  const incoming = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming;
  return incoming?.readableAborted === true && "code" in error && error.code === "ECONNRESET";
}

/** Hono's error handler. */
export function errorResponse(log: Log) {
  return (error: Error, c: Context): Response => {
    const { status, body } = reportError(log, error, c);
    return c.json({ error: body } satisfies ErrorAnswer, status as ContentfulStatusCode);
  };
}
