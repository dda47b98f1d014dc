import { Hono } from "hono";
import { scopes } from "../access/key-file.js";
import { AccessAnswer } from "../wire/server.js";
import { describe, json } from "./describe.js";
import type { RequestVariables } from "./request-context.js";

const operation = describe({
  id: "getAccess",
  tag: "Server",
  summary: "What the key of this request may do",
  description:
    "So that a program can leave out what would be refused. Any key may ask. Where the server " +
    "needs no keys, `key` is null and everything is allowed.",
  answers: { 200: { content: json(AccessAnswer) } },
});

/** `GET /v1/access`: the scopes of the caller's key, its name and its end; nothing secret. */
export function accessRoute() {
  return new Hono<RequestVariables>().get("/v1/access", operation, (c) => {
    const caller = c.get("caller");
    const scope = caller?.scope ?? "admin";
    const key = caller && {
      id: caller.id,
      name: caller.name,
      expires_at: caller.expiresAt ?? null,
    };
    return c.json({
      key: key ?? null,
      scopes: scopes.slice(0, scopes.indexOf(scope) + 1),
    } satisfies AccessAnswer);
  });
}
