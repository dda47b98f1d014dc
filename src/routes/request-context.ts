import { setMaxListeners } from "node:events";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Context, MiddlewareHandler, Next } from "hono";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import type { Access, Caller } from "../access/access.js";
import { checkOrigins } from "../access/check-access.js";
import type { Client } from "../access/recent-clients.js";
import type { Config } from "../config.js";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import type { BodyBudget, BodyShare } from "../media/body-budget.js";
import { requestSeconds } from "../metrics.js";
import { collectStages, reportStages, StageTimes } from "../stages.js";
import { currentTrace, parseTraceparent, withTrace } from "../tracing/trace-context.js";
import type { TracedRequest, Tracer } from "../tracing/tracer.js";

/** Variables that middleware sets for routes. */
export interface RequestVariables {
  Variables: {
    /** Aborts when the client is gone or the time is up. */
    signal: AbortSignal;
    /** Milliseconds after which `signal` aborts. */
    requestTimeoutMs: number;
    /** In the log and in `X-Request-Id`: the client's, else a random one. */
    requestId: string;
    /** Size limit of a body, or of a line of NDJSON; enforced by read-body.ts and ndjson.ts. */
    maxBodyBytes: number;
    /** The body's share of the body budget. */
    bodyShare: BodyShare;
    /** Set by `requireKey`, also before it refuses. */
    client: Client | undefined;
    /** Whether `requireKey` let it in. */
    isPastGate: boolean;
    /** Whose key the request has; undefined where none is needed. */
    caller: Caller | undefined;
    /** The shape of another product that answers. */
    api: string | undefined;
  };
}

/**
 * Collects the stages of a request into `Server-Timing` and its trace, counts it, logs it, and
 * gives it its signal.
 */
export function observeRequests(
  log: Log,
  timeoutMs: number,
  tracer?: Tracer,
): MiddlewareHandler<RequestVariables> {
  const observe = observer(log, timeoutMs);
  return (c, next) => {
    // A tool of MCP asks another route within its own request.
    const parent = currentTrace()?.context ?? parseTraceparent(c.req.header("traceparent"));
    const traced = tracer?.request(c.req.method, parent);
    const trace = traced ?? (parent === undefined ? undefined : { context: parent });
    return withTrace(trace, () => observe(c, next, traced));
  };
}

function observer(log: Log, timeoutMs: number) {
  return async (c: Context<RequestVariables>, next: Next, traced?: TracedRequest) => {
    const start = performance.now();
    const times = new StageTimes();
    const clock = new AbortController();
    setMaxListeners(0, clock.signal); // every input of a request listens
    const timer = setTimeout(() => {
      const late = new AppError(
        "timeout",
        `The request took longer than ${timeoutMs} ms and was aborted`,
      );
      clock.abort(late);
      // A route may not notice while a body trickles in. There is no connection when the app is
      // called without a port.
      const incoming = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming;
      if (incoming?.complete === false) incoming.destroy(late);
    }, timeoutMs);
    const onGone = () => clock.abort(new AppError("cancelled", "The client closed the connection"));
    // `bodyLimit` replaces this request by another. A listener left on this one's signal would keep
    // the request and its socket forever: 2,500 of them in six minutes of mixed load (every
    // DELETE).
    const client = c.req.raw.signal;
    client.addEventListener("abort", onGone, { once: true });
    c.set("signal", clock.signal);
    c.set("requestTimeoutMs", timeoutMs);
    try {
      await collectStages(times, next);
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
    traced?.end({ route, status, requestId, stages: times.pieces });
    log.info({ method, path, status, ms: Math.round(ms), requestId }, "request");
  };
}

/**
 * During a drain each answer closes its connection, so that a client with a kept-alive one does not
 * delay the drain.
 */
export function endConnections(stopping: AbortSignal): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (stopping.aborted) c.header("Connection", "close");
  };
}

/**
 * Sets the limit and the budget for readers of bodies; they refuse a body as soon as it exceeds one
 * of them.
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
 * Without keys the server is for this machine only. A foreign web page must not reach it through
 * the user's browser: neither by a request that it sends here (Origin, Sec-Fetch-Site) nor by a
 * name that resolves to this address (Host). Its own pages and those of `corsOrigins` may; so may
 * programs, which send neither header, also by the names in `trustedHosts`.
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
      throw foreignRequest(`Host "${host}"`);
    }
    if (corsOrigins.includes(c.req.header("origin") ?? "")) return next();
    const origin = c.req.header("origin");
    const site = c.req.header("sec-fetch-site");
    // Pictures and sounds that another page includes come without an Origin; a link may lead here.
    const mode = c.req.header("sec-fetch-mode");
    if (site === "cross-site" && mode !== "navigate" && corsOrigins.length === 0)
      throw foreignRequest(`Sec-Fetch-Site "${site}"`);
    if (origin !== undefined || site !== undefined) {
      // Requests that a page can send without a preflight. Others, such as JSON, need a preflight,
      // which is not answered; they are refused all the same.
      await guardForms(c, async () => undefined).catch((error) => {
        throw error instanceof HTTPException ? foreignRequest(`Origin "${origin ?? site}"`) : error;
      });
      const isOurs = origin === new URL(c.req.url).origin || site === "same-origin";
      if (origin !== undefined && !isOurs) throw foreignRequest(`Origin "${origin}"`);
    }
    await next();
  };
}

/**
 * Allows pages of some origins, none by default; answers their preflights, which carry no key.
 */
export function allowOrigins(
  { corsOrigins }: Pick<Config, "corsOrigins">,
  access: Pick<Access, "needsKey">,
): MiddlewareHandler {
  checkOrigins({ corsOrigins }, access);
  if (corsOrigins.length === 0) return (_, next) => next();
  const exposeHeaders = ["Retry-After", "Server-Timing", "X-Crossmodal-Warnings", "X-Request-Id"];
  return cors({
    origin: corsOrigins.includes("*") ? "*" : [...corsOrigins],
    exposeHeaders,
    maxAge: 600,
  });
}

function foreignRequest(which: string): AppError {
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
