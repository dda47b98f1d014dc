import { Hono } from "hono";
import { registry } from "../metrics.js";
import type { Services } from "../services.js";

/** Probes for an orchestrator, and the metrics it scrapes. */
export function healthRoutes({ ready }: Services) {
  let state: "starting" | "ready" | "failed" = "starting";
  ready.then(
    () => {
      state = "ready";
    },
    () => {
      state = "failed";
    },
  );
  return new Hono()
    .get("/health/live", (c) => c.json({ status: "live" }))
    .get("/health/ready", (c) => c.json({ status: state }, state === "ready" ? 200 : 503))
    .get("/metrics", async (c) => c.text(await registry.metrics(), 200, { "content-type": registry.contentType }));
}
