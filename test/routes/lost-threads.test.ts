import type { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { jsonPost, startApp } from "../helpers/services.js";

/** Every thread of the server, in the order they were started. */
const threads = new Set<Worker>();
const note = (worker: Worker) => {
  threads.add(worker);
  worker.once("exit", () => threads.delete(worker));
};
let app: App;
let services: Services;
beforeAll(async () => {
  process.on("worker", note);
  ({ app, services } = await startApp({ models: ["starter-clip"] }));
});
afterAll(async () => {
  process.off("worker", note);
  await services.close();
});

const ready = async () => {
  const response = await app.request("/health/ready");
  return { status: response.status, body: (await response.json()) as { reasons?: string[] } };
};
/** Ends threads that are at rest, as a crash would. */
const end = (some: Iterable<Worker>) => Promise.all([...some].map((thread) => thread.terminate()));

it("is not ready when the store's thread dies, restarts it and has lost nothing", async () => {
  const before = new Set(threads);
  const spec = { name: "c", space: "plain", dimensions: 2 };
  expect((await app.request("/v1/collections", jsonPost(spec))).status).toBe(201);
  const items = [{ id: "a", modality: "text", embedding: [1, 0] }];
  await app.request("/v1/collections/c/items", jsonPost({ items }));
  const store = [...threads].filter((thread) => !before.has(thread));
  expect(store).toHaveLength(1);

  const search = () => app.request("/v1/collections/c/search", jsonPost({ embedding: [1, 0] }));
  const underWay = search();
  await end(store);
  expect([200, 503]).toContain((await underWay).status);
  expect(await ready()).toMatchObject({
    status: 503,
    body: { reasons: ["The store stopped unexpectedly and is being restarted"] },
  });
  const refused = await search();
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({ error: { code: "unavailable" } });

  await expect.poll(async () => (await ready()).status).toBe(200);
  expect(await (await search()).json()).toMatchObject({ results: [{ id: "a" }] });
});

it("keeps every acknowledged item when the store's thread ends between writes", async () => {
  const before = new Set(threads);
  await app.request("/v1/collections", jsonPost({ name: "w", space: "plain", dimensions: 2 }));
  const [store] = [...before].slice(-1);
  const acknowledged: string[] = [];
  for (let i = 0; i < 50; i++) {
    const items = [{ id: `i${i}`, modality: "text", embedding: [Math.cos(i), Math.sin(i)] }];
    const adding = app.request("/v1/collections/w/items", jsonPost({ items }));
    if (i === 25) void store.terminate();
    const response = await adding;
    const { stored } = (await response.json()) as { stored?: number };
    if (stored === 1) acknowledged.push(`i${i}`);
    else await expect.poll(async () => (await ready()).status).toBe(200);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(48);
  const { data } = (await (await app.request("/v1/collections/w/items?limit=100")).json()) as {
    data: { id: string }[];
  };
  const stored = new Set(data.map(({ id }) => id));
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
});

it("starts a model's thread again", async () => {
  const embed = (text: string) =>
    app.request("/v1/embeddings", jsonPost({ model: "starter-clip", input: text }));
  const first = (await (await embed("a cat")).json()) as { data: [{ embedding: number[] }] };
  await end(threads);
  expect((await ready()).body.reasons).toContainEqual(
    expect.stringMatching(/^The text tower of "starter-clip" stopped unexpectedly/),
  );
  expect((await embed("a dog")).status).toBe(503);
  await expect.poll(async () => (await ready()).status).toBe(200);
  const other = (await (await embed("a bus")).json()) as typeof first;
  expect(other.data[0].embedding.length).toBe(first.data[0].embedding.length);
});
