import { createHash, timingSafeEqual } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { gatherStages, reportStages, requestSeconds, type StageTimes } from "../metrics.js";
import { isNdjson } from "./ndjson.js";

/** What middleware hands to routes: `c.get("signal")` aborts when the client is gone or the time is up. */
export interface RequestVariables {
  Variables: { signal: AbortSignal };
}

/** Gathers the stages of a request into `Server-Timing`, counts it, logs it, and gives it its signal. */
export function observeRequests(log: Log, timeoutMs: number): MiddlewareHandler<RequestVariables> {
  return async (c, next) => {
    const start = performance.now();
    const times: StageTimes = new Map();
    const clock = new AbortController();
    setMaxListeners(0, clock.signal); // every input of a request listens
    const timer = setTimeout(() => {
      const late = new AppError(
        "timeout",
        `The request took longer than ${timeoutMs} ms and was given up`,
      );
      clock.abort(late);
      // A body that trickles in keeps the route from noticing; there is none when the app is called without a port.
      const incoming = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming;
      if (incoming?.complete === false) incoming.destroy(late);
    }, timeoutMs);
    const onGone = () => clock.abort(new AppError("cancelled", "The client closed the connection"));
    // `bodyLimit` puts another request in this one's place. A listener left on this one's signal would keep the request, its
    // socket and what it holds for ever: 2,500 of them in six minutes of mixed load (every DELETE).
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
    log.info(
      { method: c.req.method, path: c.req.path, status: c.res.status, ms: Math.round(ms) },
      "request",
    );
  };
}

/** During a drain each answer ends its connection, so that a client that keeps one does not hold the drain up with more. */
export function endConnections(stopping: AbortSignal): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (stopping.aborted) c.header("Connection", "close");
  };
}

/** Refuses bodies over the limit before they are read whole. A stream of lines has no limit as a whole: its reader bounds each. */
export function limitBody(maxBytes: number): MiddlewareHandler {
  const limit = bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new AppError(
        "too_large",
        `The request body is larger than ${maxBytes} bytes (option maxBodyBytes)`,
      );
    },
  });
  return (c, next) => (isNdjson(c.req.header("content-type")) ? next() : limit(c, next));
}

/** With keys: `Authorization: Bearer KEY` or `x-api-key` on every route but the health probes. */
export function requireApiKey(keys: readonly string[]): MiddlewareHandler {
  const digest = (key: string) => createHash("sha256").update(key).digest();
  const known = keys.map(digest);
  return async (c, next) => {
    if (known.length > 0 && !c.req.path.startsWith("/health/")) {
      const given =
        c.req.header("authorization")?.replace(/^Bearer\s+/i, "") ??
        c.req.header("x-api-key") ??
        "";
      const candidate = digest(given); // of equal length, so that the comparison takes equal time
      if (known.filter((key) => timingSafeEqual(key, candidate)).length === 0) {
        throw new AppError("unauthorized", "Expected an API key as Authorization: Bearer", {
          param: "authorization",
        });
      }
    }
    await next();
  };
}

/**
 * Without keys the server is for this machine only. A web page elsewhere must not reach it through the user's browser:
 * neither by a form that posts here (Origin) nor by a name that resolves to this address (Host).
 */
export function guardLocalServer(keys: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    if (keys.length === 0) {
      const host = c.req.header("host");
      const origin = c.req.header("origin");
      const foreignHost = host !== undefined && !isLocalName(hostnameOf(`http://${host}`));
      const foreignOrigin = origin !== undefined && !isLocalName(hostnameOf(origin));
      if (foreignHost || foreignOrigin) {
        const which = foreignHost ? `Host "${host}"` : `Origin "${origin}"`;
        throw new AppError(
          "unauthorized",
          `${which} is not this machine; set apiKeys to serve others`,
        );
      }
    }
    await next();
  };
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
