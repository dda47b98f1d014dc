import type { ServerResponse } from "node:http";
import type { Context, MiddlewareHandler } from "hono";
import type { Access, Caller } from "../access/access.js";
import type { Audit } from "../access/audit.js";
import { clientAddress, networkOf, parseProxies } from "../access/client-address.js";
import { endWhenRevoked } from "../access/end-when-revoked.js";
import { type Scope, scopes } from "../access/key-file.js";
import type { MediaAddresses } from "../access/media-addresses.js";
import type { RateLimit } from "../access/rate-limit.js";
import type { Config } from "../config.js";
import { AppError } from "../errors.js";
import type { RequestVariables } from "./request-context.js";

/** The description of the routes, which is public anyway. */
const isDescription = (path: string) => path === "/openapi.json" || path === "/docs";

/** What needs no key: that, and the probes. */
export const isPublic = (path: string) => path.startsWith("/health/") || isDescription(path);

/** The page and its files, which come before keys are asked for. */
const isOfPage = (path: string) => path === "/" || path.startsWith("/assets/");

/** Without a key one may ask so often in a minute, or as often as with one; a page takes 15. */
const publicPerMinute = 600;

/** POST requests that change nothing: reads with a body. */
const readsByPost = [
  /^\/v1\/(embeddings|zero-shot|modality-gap)$/,
  /^\/mcp$/, // its tools ask the other routes, with the same key
  /^\/v1\/collections\/[^/]+\/(search|items\/hashes|media\/archives)$/,
];
/** Routes that export or replace all data, or change the server. */
const forAdmins = [/^\/v1\/(admin|backup|restore|keys)(\/|$)/];

/**
 * The scope a request needs. Requests not known to be reads count as writes.
 *
 * @param isInference  whether a compat route only computes.
 */
export function scopeOf(
  method: string,
  path: string,
  isInference: (path: string) => boolean = () => false,
): Scope {
  if (forAdmins.some((pattern) => pattern.test(path))) return "admin";
  const changesNothing =
    method === "POST"
      ? readsByPost.some((pattern) => pattern.test(path)) || isInference(path)
      : ["GET", "HEAD", "OPTIONS"].includes(method);
  if (changesNothing) return "read";
  return path.startsWith("/v1/models") ? "admin" : "write";
}

export interface GateOptions {
  access: Access;
  addresses: MediaAddresses;
  limit: RateLimit;
  config: Pick<Config, "requestsPerMinute" | "trustedProxies">;
  audit: Audit;
  isInference: (path: string) => boolean;
}

/**
 * Limits the requests per minute of an address for what needs no key, apart from its others: a page
 * asks for dozens of files. Not those of probes: who is not answered may restart the server.
 */
export function limitPublic({
  limit,
  config,
}: Pick<GateOptions, "limit" | "config">): MiddlewareHandler {
  const proxies = parseProxies(config.trustedProxies);
  const { requestsPerMinute } = config;
  const perMinute = requestsPerMinute && Math.max(requestsPerMinute, publicPerMinute);
  return async (c, next) => {
    const { path } = c.req;
    if (isDescription(path) || isOfPage(path))
      takeTurn(limit, `public ${networkOf(addressOf(c, proxies))}`, perMinute);
    await next();
  };
}

/**
 * With keys: `Authorization: Bearer KEY` or `x-api-key` on every route but the public ones, with
 * the scope that the route needs; kept media also by a signed address. Requests per minute are
 * limited by key or address, also without keys.
 */
export function requireKey(options: GateOptions): MiddlewareHandler<RequestVariables> {
  const { access, addresses, limit, config, audit, isInference } = options;
  const proxies = parseProxies(config.trustedProxies);
  return async (c, next) => {
    if (isPublic(c.req.path)) return next();
    const { outgoing } = (c.env ?? {}) as Partial<Connection>;
    const address = addressOf(c, proxies);
    const network = `address ${networkOf(address)}`;
    c.set("client", { address, isAdmitted: !access.needsKey });
    let caller: Caller | undefined;
    let isAdmitted: (() => Promise<boolean>) | undefined;
    const needed = scopeOf(c.req.method, c.req.path, isInference);
    if (access.needsKey && !addresses.accepts(c.req.method, c.req.path, c.req.query())) {
      const given = keyIn(
        c.req.header("authorization"),
        c.req.header("x-api-key") ?? c.req.header("x-internal-secret"), // soundspan's
      );
      caller = await access.callerWith(given);
      isAdmitted = () => access.admits(given);
      if (caller === undefined) {
        takeTurn(limit, network, config.requestsPerMinute);
        throw new AppError("unauthorized", "Expected an API key as Authorization: Bearer", {
          param: "authorization",
        });
      }
    }
    const key = caller && { id: caller.id, name: caller.name };
    c.set("client", { address, key, isAdmitted: true });
    c.set("caller", caller);
    const perMinute = caller?.requestsPerMinute ?? config.requestsPerMinute;
    takeTurn(limit, caller === undefined ? network : `key ${caller.id}`, perMinute);
    if (caller !== undefined && scopes.indexOf(caller.scope) < scopes.indexOf(needed)) {
      const message =
        `This needs a key with the scope "${needed}"; the key "${caller.name}" has ` +
        `"${caller.scope}"`;
      throw new AppError("forbidden", message, { param: "authorization" });
    }
    c.set("isPastGate", true);
    await next();
    const { method, path } = c.req;
    if (outgoing !== undefined && isAdmitted !== undefined)
      endWhenRevoked(
        outgoing,
        isAdmitted,
        () =>
          void audit.record({ method, path, key: key?.id }, "ended: its key is not valid any more"),
      );
  };
}

/** Of a request that came over one. */
interface Connection {
  incoming: { socket?: { remoteAddress?: string } };
  outgoing: ServerResponse;
}

function addressOf(c: Context, proxies: ReturnType<typeof parseProxies>): string {
  const { incoming } = (c.env ?? {}) as Partial<Connection>;
  const connection = incoming?.socket?.remoteAddress ?? "";
  return clientAddress(connection, c.req.header("x-forwarded-for"), proxies);
}

/** Another scheme than Bearer may be meant for a proxy in front. */
function keyIn(authorization: string | undefined, apiKey: string | undefined): string {
  const [, bearer] = /^Bearer\s+(.*)$/i.exec(authorization ?? "") ?? [];
  return bearer ?? apiKey ?? authorization ?? "";
}

/** @param perMinute  0 is unlimited. */
function takeTurn(limit: RateLimit, caller: string, perMinute: number): void {
  if (perMinute === 0) return;
  const seconds = limit.take(caller, perMinute);
  if (seconds === 0) return;
  const message = `More than ${perMinute} requests in a minute; retry in ${Math.ceil(seconds)} s`;
  throw new AppError("rate_limited", message, { retryAfterSeconds: Math.max(1, seconds) });
}
