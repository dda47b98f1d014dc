import type { ErrorAnswer } from "../wire/error.js";

/**
 * Sends a request to the server's routes, in this process or elsewhere, and resolves with any
 * answer.
 */
export type Ask = (path: string, init: AskInit) => Promise<Response>;

interface AskInit {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  signal: AbortSignal;
}

/** A tool's failure; the message is for the model that called it. */
export class ToolError extends Error {
  override name = "ToolError";
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** A request of one tool call: a GET, or with a body a POST. */
export interface Call {
  body?: unknown;
  signal: AbortSignal;
}

/** @throws ToolError with the route's own message when it answers an error. */
export async function askFor(ask: Ask, path: string, { body, signal }: Call): Promise<Response> {
  const response = await ask(path, {
    signal,
    ...(body !== undefined && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  if (response.ok) return response;
  const text = await response.text();
  throw errorOf(text) ?? new ToolError(`${path} answered ${response.status} ${text.slice(0, 80)}`);
}

export async function askForJson<T>(ask: Ask, path: string, call: Call): Promise<T> {
  return (await (await askFor(ask, path, call)).json()) as T;
}

function errorOf(text: string): ToolError | undefined {
  try {
    const { code, message } = (JSON.parse(text) as ErrorAnswer).error;
    return new ToolError(message, code);
  } catch {
    return undefined;
  }
}
