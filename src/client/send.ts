import type { RequestBody } from "./body.js";
import { ConnectionError, errorOf } from "./errors.js";
import { delayOf, pause } from "./retry.js";

export interface ClientOptions {
  /**
   * Base URL of the server, including the path under which a proxy exposes it:
   * `http://127.0.0.1:8080`, `https://example.org/crossmodal`. In a page also a path of its own
   * origin, or "".
   */
  url: string;
  apiKey?: string;
  /** Replaces the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How often a request is retried (see `sender`). Default 3. */
  maxRetries?: number;
}

export interface CallOptions {
  signal?: AbortSignal;
  maxRetries?: number;
}

export interface SendInit extends CallOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: RequestBody;
  /** Statuses of 400 and more that are answers, not errors. */
  expected?: readonly number[];
}

export type Send = (path: string, init?: SendInit) => Promise<Response>;

/**
 * Sends requests, again where that is safe: after 429, and after 503 with `Retry-After`, by which
 * the server says that it has done nothing; what only reads also after any other 503 and when the
 * connection failed. It waits as long as `Retry-After` says, otherwise longer each time, with
 * random variation; if that is more than half a minute, the caller gets the error. A stream is sent
 * once.
 *
 * @throws ApiError, ConnectionError, or the signal's reason.
 */
export function sender({ url, apiKey, fetch = globalFetch, maxRetries = 3 }: ClientOptions): Send {
  const base = checkedBase(url);
  const auth = authOf(apiKey);
  return async (
    path,
    { expected = [], maxRetries: retries = maxRetries, signal, ...init } = {},
  ) => {
    const headers = { ...init.headers, ...auth };
    const isStream = init.body instanceof ReadableStream;
    const isRead = (init.method ?? "GET") === "GET";
    const sent = { ...init, headers, signal, ...(isStream && { duplex: "half" }) } as RequestInit;
    for (let attempt = 0; ; attempt++) {
      const isLast = attempt >= retries || isStream;
      let response: Response;
      try {
        response = await fetch(base + path, sent);
      } catch (error) {
        signal?.throwIfAborted();
        if (isLast || !isRead) throw noAnswer(base, error);
        await pause(delayOf(attempt)!, signal);
        continue;
      }
      if (response.ok || expected.includes(response.status)) return response;
      const error = await errorOf(response, path, signal);
      const { status, retryAfterSeconds } = error;
      const nothingDone = status === 429 || (status === 503 && retryAfterSeconds !== undefined);
      const delay = delayOf(attempt, retryAfterSeconds);
      if (isLast || delay === undefined || !(nothingDone || (isRead && status === 503)))
        throw error;
      await pause(delay, signal);
    }
  };
}

const globalFetch: NonNullable<ClientOptions["fetch"]> = (url, init) => fetch(url, init);

/** The prefix of every path. */
function checkedBase(url: string): string {
  if (URL.canParse(url)) {
    const { protocol, username, password, search, hash } = new URL(url);
    if (!/^https?:$/.test(protocol) || username + password + search + hash !== "") {
      const message = "Expected an http(s) URL of the server, without user, query and hash";
      throw new TypeError(message);
    }
  }
  return url.replace(/\/+$/, "");
}

function authOf(apiKey: string | undefined): Record<string, string> {
  if (apiKey === undefined) return {};
  const auth = { authorization: `Bearer ${apiKey.trim()}` };
  try {
    new Headers(auth);
  } catch {
    // Without the key
    throw new TypeError("The API key has characters that are not allowed in a header");
  }
  return auth;
}

function noAnswer(base: string, error: unknown): ConnectionError {
  const { cause, message } = error as Error;
  const why = cause instanceof Error ? cause.message || cause.name : message;
  return new ConnectionError(`No server answers at ${base} (${why})`, { cause: error });
}
