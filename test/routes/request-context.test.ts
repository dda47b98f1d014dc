import { getEventListeners } from "node:events";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { createLog } from "../../src/log.js";
import { BodyBudget } from "../../src/media/body-budget.js";
import {
  limitBody,
  observeRequests,
  type RequestVariables,
} from "../../src/routes/request-context.js";

it("leaves no listener on a request's signal, even when the body limit replaces it", async () => {
  const app = new Hono<RequestVariables>()
    .use(observeRequests(createLog("silent"), 60_000))
    .use(limitBody(1000, new BodyBudget(4000)))
    .post("/", async (c) => c.text(await c.req.text()));
  const listenersOf = async (init: RequestInit & { duplex?: "half" }) => {
    const request = new Request("http://127.0.0.1/", { method: "POST", ...init });
    expect(await (await app.request(request)).text()).toBe("hello");
    return getEventListeners(request.signal, "abort").length;
  };
  const body = new Blob(["hello"]).stream();
  const plain = await listenersOf({ body: "hello", headers: { "content-length": "5" } });
  const replaced = await listenersOf({ body, duplex: "half" });
  expect(plain).toBe(0);
  expect(replaced).toBeLessThanOrEqual(1); // the other request's own: it follows this one's signal
});
