import { createApp } from "../app.js";
import type { Config } from "../config.js";
import { createLog } from "../log.js";
import { createServices } from "../services.js";

/** Where a command's requests go: a running server (`--url`), or the same routes in this process, without a port. */
export interface Target {
  /** The parsed answer. @throws CommandError with the server's own message when it answers an error. */
  request<T>(path: string, init?: RequestInit): Promise<T>;
  close(): Promise<void>;
}

/** A failure to tell the user in one line; the exit code is 1. */
export class CommandError extends Error {
  override name = "CommandError";
}

export async function openTarget(config: Config, { url, apiKey }: { url?: string; apiKey?: string }): Promise<Target> {
  if (url !== undefined) {
    const base = url.replace(/\/+$/, "");
    const send = async (path: string, init: RequestInit = {}) => {
      const headers = new Headers(init.headers);
      if (apiKey !== undefined) headers.set("authorization", `Bearer ${apiKey}`);
      try {
        return await fetch(base + path, { ...init, headers });
      } catch (error) {
        const cause = (error as Error).cause;
        throw new CommandError(`No server answers at ${base} (${cause instanceof Error ? cause.message : error})`);
      }
    };
    return { request: requester(send), close: async () => {} };
  }
  const services = await createServices(config, createLog("error"));
  const app = createApp(services);
  const headersOf = (init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (config.apiKeys.length > 0) headers.set("authorization", `Bearer ${config.apiKeys[0]}`);
    return headers;
  };
  const send = async (path: string, init?: RequestInit) => app.request(path, { ...init, headers: headersOf(init) });
  return { request: requester(send), close: () => services.close() };
}

function requester(send: (path: string, init?: RequestInit) => Promise<Response>): Target["request"] {
  return async <T>(path: string, init?: RequestInit) => {
    const response = await send(path, init);
    const text = await response.text();
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      throw new CommandError(`Expected JSON from ${path} but received ${response.status} ${text.slice(0, 80)}`);
    }
    if (!response.ok) {
      const { error } = body as { error?: { message?: string } };
      throw new CommandError(error?.message ?? `${path} answered ${response.status}`);
    }
    return body as T;
  };
}

export const jsonPost = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
