import { createApp } from "../app.js";
import type { Config } from "../config.js";
import { AppError } from "../errors.js";
import { createLog, type Log } from "../log.js";
import { createServices } from "../services.js";

/**
 * Where a command's requests go: a running server (`--url`), or the same routes in this process,
 * without a port.
 */
export interface Target {
  /**
   * The parsed answer. @throws CommandError with the server's own message when it answers an error.
   */
  request<T>(path: string, init?: RequestInit): Promise<T>;
  /** The answer as it comes, for streams. @throws CommandError like `request`. */
  send(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/**
 * A failure to tell the user in one line; the exit code is 1, or 2 when the server calls it
 * `invalid_input`.
 */
export class CommandError extends Error {
  override name = "CommandError";
  /** The server's error code; undefined when no server answered. */
  readonly code: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    { code, retryAfterSeconds }: { code?: string; retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface TargetOptions {
  url?: string;
  apiKey?: string;
}

/** @param config  what the routes in this process run with; not used with a URL. */
export async function openTarget(config: Config, { url, apiKey }: TargetOptions): Promise<Target> {
  if (url !== undefined) {
    const base = url.replace(/\/+$/, "");
    const send = async (path: string, init: RequestInit = {}) => {
      const headers = new Headers(init.headers);
      if (apiKey !== undefined) headers.set("authorization", `Bearer ${apiKey}`);
      try {
        return await fetch(base + path, { ...init, headers });
      } catch (error) {
        if (init.signal?.aborted) throw error;
        const cause = (error as Error).cause;
        throw new CommandError(
          `No server answers at ${base} (${cause instanceof Error ? cause.message : error})`,
        );
      }
    };
    return targetOf(send, async () => {});
  }
  const services = await createServices(config, commandLog());
  const app = createApp(services);
  const headersOf = (init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (config.apiKeys.length > 0) headers.set("authorization", `Bearer ${config.apiKeys[0]}`);
    return headers;
  };
  const send = async (path: string, init?: RequestInit) =>
    app.request(path, { ...init, headers: headersOf(init) });
  return targetOf(send, () => services.close());
}

/** What fails by design is told by the command itself; the log is for the rest. */
export function commandLog(): Log {
  const log = createLog("error");
  const nothing = () => {};
  const error = (details: { err?: unknown }, message: string) => {
    if (!(details.err instanceof AppError)) log.error(details, message);
  };
  return { debug: nothing, info: nothing, warn: nothing, error: error as Log["error"] };
}

function targetOf(
  ask: (path: string, init?: RequestInit) => Promise<Response>,
  close: Target["close"],
): Target {
  const send: Target["send"] = async (path, init) => {
    const response = await ask(path, init);
    if (!response.ok) throw await errorOf(response, path);
    return response;
  };
  return {
    send,
    async request<T>(path: string, init?: RequestInit) {
      const response = await send(path, init);
      const text = await response.text();
      try {
        return JSON.parse(text) as T;
      } catch {
        throw new CommandError(
          `Expected JSON from ${path} but received ${response.status} ${text.slice(0, 80)}`,
        );
      }
    },
    close,
  };
}

async function errorOf(response: Response, path: string): Promise<CommandError> {
  const text = await response.text();
  let error: { code?: string; message?: string } | undefined;
  try {
    error = (JSON.parse(text) as { error?: { code?: string; message?: string } }).error;
  } catch {
    return new CommandError(
      `Expected JSON from ${path} but received ${response.status} ${text.slice(0, 80)}`,
    );
  }
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new CommandError(error?.message ?? `${path} answered ${response.status}`, {
    code: error?.code,
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  });
}

export const jsonPost = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
