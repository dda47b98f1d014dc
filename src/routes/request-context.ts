import { setMaxListeners } from "node:events";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import type { Access } from "../access/access.js";
import type { Config } from "../config.js";
import { AppError, invalidInput } from "../errors.js";
import type { Log } from "../log.js";
import type { BodyBudget, BodyShare } from "../media/body-budget.js";
import { gatherStages, reportStages, requestSeconds, type StageTimes } from "../metrics.js";

/** What middleware hands to routes. */
export interface RequestVariables {
  Variables: {
    /** Aborts when the client is gone or the time is up. */
    signal: AbortSignal;
    /** In the log and in `X-Request-Id`: the client's, else a random one. */
    requestId: string;
    /** Of a body, or of a line where it comes in lines; read-body.ts and ndjson.ts keep to it. */
    maxBodyBytes: number;
    /** What the body takes of the room for bodies. */
    bodyShare: BodyShare;
  };
}

/**
 * Gathers the stages of a request into `Server-Timing`, counts it, logs it, and gives it its
 * signal.
 */
export function observeRequests(log: Log, timeoutMs: number): MiddlewareHandler<RequestVariables> {
  return async (c, next) => {
    const start = performance.now();
    const times: StageTimes = new Map();
    const clock = new AbortController();
    setMaxListeners(0, clock.signal); // every input of a request listens
    const timer = setTimeout(() => {
      const late = new AppError(
        "timeout",
        `The request took longer than ${timeoutMs} ms and was aborted`,
      );
      clock.abort(late);
      // A body that trickles in keeps the route from noticing; there is none when the app is called
      // without a port.
      const incoming = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming;
      if (incoming?.complete === false) incoming.destroy(late);
    }, timeoutMs);
    const onGone = () => clock.abort(new AppError("cancelled", "The client closed the connection"));
    // `bodyLimit` puts another request in this one's place. A listener left on this one's signal
    // would keep the request, its socket and what it holds for ever: 2,500 of them in six minutes
    // of mixed load (every DELETE).
    const client = c.req.raw.signal;
    client.addEventListener("abort", onGone, { once: true });
    c.set("signal", clock.signal);
    try {
      await gatherStages(times, next);
    } finally {
      clearTimeout(timer);
      client.removeEventListener("abort", onGone);
    }
    const ms = performance.now() - start;
    const timing = reportStages(times);
    c.header(
      "Server-Timing",
      timing === "" ? `total;dur=${ms.toFixed(1)}` : `${timing}, total;dur=${ms.toFixed(1)}`,
    );
    const route = c.req.routePath === "/*" ? "unmatched" : c.req.routePath;
    requestSeconds.observe({ route, method: c.req.method, status: c.res.status }, ms / 1000);
    const { method, path } = c.req;
    const { status } = c.res;
    const requestId = c.get("requestId");
    log.info({ method, path, status, ms: Math.round(ms), requestId }, "request");
  };
}

/**
 * During a drain each answer ends its connection, so that a client that keeps one does not hold the
 * drain up with more.
 */
export function endConnections(stopping: AbortSignal): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (stopping.aborted) c.header("Connection", "close");
  };
}

/**
 * Tells the readers of bodies their limit, and where to get room; they refuse what is larger, or
 * finds none, as soon as they know.
 */
export function limitBody(
  maxBytes: number,
  bodies: BodyBudget,
): MiddlewareHandler<RequestVariables> {
  return async (c, next) => {
    const share = bodies.request();
    c.set("maxBodyBytes", maxBytes);
    c.set("bodyShare", share);
    try {
      await next();
    } finally {
      share.release();
    }
  };
}

/**
 * Without keys the server is for this machine only. A web page elsewhere must not reach it through
 * the user's browser: neither by a request that it sends here (Origin, Sec-Fetch-Site) nor by a
 * name that resolves to this address (Host). Pages that this server serves and those of
 * `corsOrigins` may; programs, which send neither header, may too, also by the names in
 * `trustedHosts`.
 */
export function guardLocalServer(
  { corsOrigins, trustedHosts }: Pick<Config, "corsOrigins" | "trustedHosts">,
  access: Pick<Access, "needsKey">,
): MiddlewareHandler {
  const guardForms = csrf();
  return async (c, next) => {
    if (access.needsKey) return next();
    const host = c.req.header("host");
    const hostname = hostnameOf(`http://${host}`);
    if (host !== undefined && !isLocalName(hostname) && !trustedHosts.includes(hostname)) {
      throw notOurs(`Host "${host}"`);
    }
    if (corsOrigins.includes(c.req.header("origin") ?? "")) return next();
    const origin = c.req.header("origin");
    const site = c.req.header("sec-fetch-site");
    if (origin !== undefined || site !== undefined) {
      // What a page can send unasked. The rest, JSON say, a browser sends only after a preflight,
      // and none is answered here; it is refused all the same.
      await guardForms(c, async () => undefined).catch((error) => {
        throw error instanceof HTTPException ? notOurs(`Origin "${origin ?? site}"`) : error;
      });
      const isOurs = origin === new URL(c.req.url).origin || site === "same-origin";
      if (origin !== undefined && !isOurs) throw notOurs(`Origin "${origin}"`);
    }
    await next();
  };
}

/**
 * Lets pages of some origins call, none by default; answers their preflights, which carry no key.
 */
export function allowOrigins(
  { corsOrigins }: Pick<Config, "corsOrigins">,
  access: Pick<Access, "needsKey">,
): MiddlewareHandler {
  const any = corsOrigins.includes("*");
  if (any && !access.needsKey) {
    const message = "Expected API keys beside corsOrigins *: any web page could use this server";
    throw invalidInput("corsOrigins", message);
  }
  if (corsOrigins.length === 0) return (_, next) => next();
  const exposeHeaders = ["Retry-After", "Server-Timing", "X-Crossmodal-Warnings", "X-Request-Id"];
  return cors({ origin: any ? "*" : [...corsOrigins], exposeHeaders, maxAge: 600 });
}

function notOurs(which: string): AppError {
  const message = `${which} is not this server's; create API keys for others (crossmodal keys)`;
  return new AppError("forbidden", message);
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : "";
}

/** `localhost` and literal addresses: a page cannot make its own name resolve to those. */
function isLocalName(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    isIP(hostname.replace(/^\[|\]$/g, "")) !== 0
  );
}
