import type { Context, MiddlewareHandler } from "hono";
import { programOf } from "../access/program-of.js";
import type { RecentClients } from "../access/recent-clients.js";
import type { RequestVariables } from "./request-context.js";

/** The environment of a request that a tool of MCP sends within another one. */
export const withinRequest = { isWithin: true };

/**
 * Remembers who asked, once it is answered; `requireKey` says who it is. Probes and files of the
 * page are not counted.
 * @param apiAt  the shape of another product that has a path for itself.
 */
export function noteClients(
  clients: RecentClients,
  apiAt: (path: string) => string | undefined,
): MiddlewareHandler<RequestVariables> {
  return async (c, next) => {
    await next();
    const client = c.get("client");
    if (client === undefined || (c.env as Partial<typeof withinRequest> | undefined)?.isWithin)
      return;
    const program = programOf(c.req.header("user-agent"));
    const api = c.get("api") ?? apiAt(c.req.path) ?? ownApi(c);
    clients.note({ ...client, program, api, status: c.res.status });
  };
}

function ownApi(c: Context<RequestVariables>): string {
  if (c.req.path === "/mcp") return "mcp";
  // Sent by browsers alone, and only by a page of this server.
  if (c.req.header("sec-fetch-site") === "same-origin") return "page";
  return c.req.path === "/v1/embeddings" ? "openai" : "native";
}
