import type { ErrorBody } from "../wire/error.js";

interface ApiErrorFacts {
  status: number;
  code?: ErrorBody["code"];
  param?: string | null;
  retryAfterSeconds?: number;
  requestId?: string;
}

/** An answer of the server with a status of 400 or more. */
export class ApiError extends Error {
  override name = "ApiError";
  /** 200 where a stream failed after it had begun. */
  readonly status: number;
  /**
   * The server's code (docs/errors.md); undefined when, for example, a proxy in front of it
   * answered.
   */
  readonly code: ErrorBody["code"] | undefined;
  /** The field at fault, as it is spelled on the wire. */
  readonly param: string | null;
  /** When to retry, if the server knows. */
  readonly retryAfterSeconds: number | undefined;
  /** The id under which the server logged the request. */
  readonly requestId: string | undefined;

  constructor(message: string, facts: ApiErrorFacts) {
    super(message);
    this.status = facts.status;
    this.code = facts.code;
    this.param = facts.param ?? null;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.requestId = facts.requestId;
  }
}

/** Errors that concern one item; any other would be the same for the next one. */
const itemErrors: ReadonlySet<string> = new Set<ErrorBody["code"]>([
  "invalid_input",
  "too_large",
  "unsupported_media",
  "undecodable_media",
  "no_path",
  "inference_failed",
  "timeout",
  "internal",
]);

/** Whether the next item may succeed after one has failed with this code. */
export const concernsOneItem = (code: string): boolean => itemErrors.has(code);

/** No answer, or one that was cut off. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

/** The error in an answer with a status of 400 or more. Reads the body. */
export async function errorOf(
  response: Response,
  path: string,
  signal?: AbortSignal,
): Promise<ApiError> {
  const { status, headers } = response;
  const text = await response.text().catch(() => "");
  signal?.throwIfAborted();
  const facts = {
    status,
    retryAfterSeconds: secondsOf(headers.get("retry-after")),
    requestId: headers.get("x-request-id") ?? undefined,
  };
  try {
    const { code, param, message } = (JSON.parse(text) as { error: ErrorBody }).error;
    return new ApiError(message, { ...facts, code, param });
  } catch {
    const message = `Expected JSON from ${path} but received ${status} ${text.slice(0, 80)}`;
    return new ApiError(message.trimEnd(), facts);
  }
}

/** `Retry-After` is a number of seconds or a date. */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\s*\d+\s*$/.test(header)
    ? Number(header)
    : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
