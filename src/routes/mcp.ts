import { createMcpHandler } from "@modelcontextprotocol/server";
import { Hono } from "hono";
import { z } from "zod";
import { AppError } from "../errors.js";
import type { Ask } from "../mcp/ask.js";
import { createMcpServer } from "../mcp/server.js";
import type { Services } from "../services.js";
import { ErrorAnswer } from "../wire/error.js";
import { bodyErrors, describe, json, text } from "./describe.js";
import { withinRequest } from "./note-clients.js";
import { jsonBody } from "./read-json.js";
import type { RequestVariables } from "./request-context.js";

const Message = z.looseObject({ jsonrpc: z.literal("2.0") });

const mcpOperation = describe({
  id: "mcp",
  tag: "Compatibility",
  summary: "Model Context Protocol over streamable HTTP, without sessions",
  body: json(Message),
  answers: {
    200: { content: { ...json(Message), ...text("text/event-stream") } },
    202: { description: "A notification was accepted" },
    400: { description: "Not a message", content: json(z.union([ErrorAnswer, Message])) },
  },
  errors: bodyErrors,
});

/** Headers that identify the caller. */
const callerHeaders = ["authorization", "x-api-key", "x-forwarded-for"];

/**
 * `POST /mcp`. A tool calls the server's routes with the call's key, so that every limit applies.
 */
export function mcpRoutes(
  { config, log }: Services,
  app: { request(...call: [...Parameters<Ask>, env?: object]): Response | Promise<Response> },
) {
  /** With the connection, whose address is rate-limited when there is no key. */
  const environments = new WeakMap<Request, object>();
  const handler = createMcpHandler(({ requestInfo }) => {
    const kept = callerHeaders.flatMap((name) => {
      const value = requestInfo?.headers.get(name);
      return value ? [[name, value]] : [];
    });
    const ask: Ask = async (path, init) => {
      const headers = { ...init.headers, ...Object.fromEntries(kept) };
      const env = { ...(requestInfo && environments.get(requestInfo)), ...withinRequest };
      return app.request(path, { ...init, headers }, env);
    };
    const base = requestInfo && new URL(requestInfo.url).origin;
    return createMcpServer({ ask, log, base });
  });
  return new Hono<RequestVariables>().post("/mcp", mcpOperation, async (c) => {
    checkOrigin(c.req.header("origin"), c.req.header("host"), config.corsOrigins);
    if (c.env !== undefined) environments.set(c.req.raw, c.env as object);
    return handler.fetch(c.req.raw, { parsedBody: await jsonBody(c) });
  });
}

/**
 * Also with keys, which a page of another origin might have. Source: Model Context Protocol
 * 2025-11-25, "Streamable HTTP", security warning.
 */
function checkOrigin(
  origin: string | undefined,
  host: string | undefined,
  corsOrigins: readonly string[],
): void {
  if (origin === undefined || corsOrigins.includes(origin) || corsOrigins.includes("*")) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new AppError("forbidden", `Origin "${origin}" is not this server's`, { param: "origin" });
}
