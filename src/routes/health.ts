import { Hono } from "hono";
import type { DatabaseCondition } from "../index/postgres/replication.js";
import type { StoreCondition } from "../index/vector-store.js";
import { observeProcess, registry } from "../metrics.js";
import { Recent } from "../recent.js";
import type { Services } from "../services.js";
import { type DatabaseAnswer, Live, Ready } from "../wire/server.js";
import { describe, json, text } from "./describe.js";
import { setGauges } from "./gauges.js";

const operations = {
  live: describe({
    id: "live",
    tag: "Server",
    summary: "Whether the process answers",
    answers: { 200: { content: json(Live) } },
  }),
  ready: describe({
    id: "ready",
    tag: "Server",
    summary: "Whether the server is ready; 503 while it is not",
    answers: {
      200: { content: json(Ready) },
      503: { description: "starting, stopping, failed or degraded", content: json(Ready) },
    },
  }),
  metrics: describe({
    id: "metrics",
    tag: "Server",
    summary: "Metrics in Prometheus' text format",
    answers: { 200: { content: text("text/plain") } },
  }),
};

/** Probes for an orchestrator, and the metrics it scrapes. */
export function healthRoutes(services: Services) {
  const { ready, stopping, store, troubles, audit } = services;
  observeProcess();
  let state: "starting" | "ready" | "failed" = "starting";
  ready.then(
    () => {
      state = "ready";
    },
    () => {
      state = "failed";
    },
  );
  // Anybody may ask for it, as often as they like
  const conditions = new Recent<[StoreCondition, DatabaseCondition | undefined]>(1, {
    maxAgeMs: 1000,
  });
  const askConditions = async () => {
    const asked = await Promise.all([
      store.condition().catch(() => ({}) as StoreCondition),
      services.database(),
    ]);
    // A store that a full disk kept from opening is tried again, even without other requests.
    if (store.trouble !== undefined && !store.isOpen) void store.open().catch(() => undefined);
    return asked;
  };
  return new Hono()
    .get("/health/live", operations.live, (c) => c.json({ status: "live" } satisfies Live))
    .get("/health/ready", operations.ready, async (c) => {
      // A kept-alive connection may still ask during the drain.
      if (stopping.aborted) return c.json({ status: "stopping" } satisfies Ready, 503);
      if (state !== "ready") return c.json({ status: state } satisfies Ready, 503);
      const troubled = troubles();
      // By what is known without asking: a database that is back is not called away any longer
      const asked = conditions.get(troubled.join("\n"), askConditions);
      const [{ damaged, cannotWrite }, condition] = await asked;
      const database = condition && { database: databaseAnswer(condition) };
      const reasons = [...troubled, ...(damaged === undefined ? [] : [damaged])];
      if (reasons.length > 0)
        return c.json({ status: "degraded", reasons, ...database } satisfies Ready, 503);
      const missing = services.missingMedia?.reason;
      // On a full disk searches still work, and without media all but those.
      return c.json({
        status: state,
        ...(cannotWrite && { cannot_write: cannotWrite }),
        ...(audit.trouble !== undefined && { cannot_audit: audit.trouble }),
        ...(missing !== undefined && { missing_media: missing }),
        ...database,
      } satisfies Ready);
    })
    .get("/metrics", operations.metrics, async (c) => {
      await setGauges(services);
      return c.text(await registry.metrics(), 200, { "content-type": registry.contentType });
    });
}

/** No names: the probe needs no key. */
function databaseAnswer({ role, standbys }: DatabaseCondition): DatabaseAnswer {
  if (standbys === undefined) return { role };
  return {
    role,
    standbys: standbys.length,
    synchronous: standbys.filter(({ sync }) => sync === "sync" || sync === "quorum").length,
    lag_seconds: Math.max(0, ...standbys.map(({ lagSeconds }) => lagSeconds)),
    lag_bytes: Math.max(0, ...standbys.map(({ lagBytes }) => lagBytes)),
  };
}
