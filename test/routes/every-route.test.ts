import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type App, createApp } from "../../src/app.js";
import { FolderJobStore } from "../../src/jobs/folder-job-store.js";
import { type OpenApiDocument, openApiDocument } from "../../src/openapi/document.js";
import { openJobs } from "../../src/services/open-jobs.js";
import type { Services } from "../../src/services.js";
import { checkAnswers } from "../helpers/check-answers.js";
import { fakeApp } from "../helpers/fake-app.js";
import { fakePack } from "../helpers/fake-packs.js";
import { type Schema, schemaValues } from "../helpers/schema-values.js";
import { jsonPost } from "../helpers/services.js";

// What holds for every route, new ones too: they are taken from /openapi.json.

vi.setConfig({ testTimeout: 240_000 });

let app: App;
let services: Services;
let document: OpenApiDocument;
const logged: unknown[] = [];
beforeAll(async () => {
  const fake = await fakeApp([fakePack("eye", 4), fakePack("ear", 5)]);
  const log = { ...fake.services.log, error: (line: unknown) => void logged.push(line) } as never;
  const parts = { ...fake.services, log };
  const folder = join(parts.config.dataDir, "jobs");
  const stored = { jobs: new FolderJobStore(folder, log), refresh: async () => {} };
  services = { ...parts, jobs: await openJobs(() => parts, stored) };
  app = checkAnswers(createApp(services));
  document = await openApiDocument(app);
  await app.request("/v1/collections", jsonPost({ name: "c", model: "eye" }));
  const items = Array.from({ length: 40 }, (_, i) => ({
    id: `${i}`,
    text: `text ${i}`,
    metadata: { n: i, label: i % 2 === 0 ? "even" : "odd" },
  }));
  await app.request("/v1/collections/c/items", jsonPost({ items }));
  const labels = { method: "PUT", body: JSON.stringify({ labels: ["a", "b"] }) };
  await app.request("/v1/label-sets/c", { ...jsonPost({}), ...labels });
});
afterAll(async () => {
  await services.jobs.close();
  await services.close();
});

/** Our own operations, with the schema of their JSON body if they have one. */
const operationsOf = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => !tags.includes("Compatibility"))
      .map(([method, { operationId, requestBody, parameters = [] }]) => ({
        method: method.toUpperCase(),
        path,
        operationId,
        schema: requestBody?.content["application/json"]?.schema as Schema | undefined,
        parameters,
      })),
  );

function resolved(schema: Schema): Schema {
  const name = /^#\/components\/schemas\/(.+)$/.exec(String(schema.$ref ?? ""))?.[1];
  return name === undefined ? schema : (document.components.schemas[name] as Schema);
}

const named = (path: string) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    name === "id" ? "1" : name === "version" ? "1" : "c",
  );

const texts = ["eye", "c", "1", "label", "n", "text", "eye@1", ""];
const valuesOf = (schema: Schema) =>
  schemaValues(schema, { texts, maxLength: 6, resolve: resolved });

/** Changes nothing that the other requests need, and is looked at elsewhere. */
const others = new Set(["trainHead", "trainBridge", "deleteCollection", "changeCollection"]);
const jobsEnded = () =>
  services.jobs.list().every(({ state }) => !["queued", "running"].includes(state));

describe("every route that takes JSON", () => {
  it("answers whatever is sent with a result, or an error that names what is wrong", async () => {
    const bodies = operationsOf().filter(
      ({ schema, operationId }) => schema !== undefined && !others.has(operationId),
    );
    expect(bodies.length).toBeGreaterThan(15);
    for (const { method, path, schema } of bodies) {
      await fc.assert(
        fc.asyncProperty(valuesOf(schema!), async (value) => {
          const text = JSON.stringify(value) ?? "null";
          const headers = { "content-type": "application/json" };
          const response = await app.request(named(path), { method, headers, body: text });
          const where = `${method} ${path} with ${text.slice(0, 1000)}`;
          const answer = await response.text();
          expect(response.status, `${where}: ${answer.slice(0, 300)}`).toBeLessThan(500);
          if (response.status < 400) return;
          const { error, message, detail } = JSON.parse(answer); // in the form of that client
          expect(error ?? message ?? detail, where).toBeTruthy();
        }),
        { numRuns: 40, seed: 20_261_127, interruptAfterTimeLimit: 8000 },
      );
    }
    await expect.poll(jobsEnded).toBe(true);
    const internal = services.jobs.list().filter(({ error }) => error?.code === "internal");
    expect(internal).toEqual([]);
    expect(logged).toEqual([]);
  });

  it("is never at a loss in the shapes of other products, MCP's included", async () => {
    const names = (
      "input inputs model text texts image images audio parameters candidate_labels labels " +
      "content messages query documents tasks label_config prompt subject outputs data " +
      "jsonrpc id method params name arguments type role dimensions truncate task shape"
    ).split(" ");
    const word = fc.constantFrom(
      "eye",
      "c",
      "2.0",
      "tools/call",
      "search",
      "text",
      "data:,",
      "AAAA",
    );
    const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        word,
        fc.string(),
        fc.integer(),
        fc.constantFrom(null, true, 1.5, -1),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    const body = fc.oneof(
      { weight: 8, arbitrary: fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5 }) },
      { weight: 1, arbitrary: value },
    );
    const paths = Object.entries(document.paths).filter(([, { post }]) =>
      post?.tags.includes("Compatibility"),
    );
    expect(paths.length).toBeGreaterThan(20);
    for (const [path] of paths) {
      await fc.assert(
        fc.asyncProperty(body, async (sent) => {
          const text = JSON.stringify(sent);
          const headers = {
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
          };
          const init = { method: "POST", headers, body: text };
          const response = await app.request(named(path), init);
          const answer = await response.text();
          const where = `POST ${path} with ${text.slice(0, 1000)}: ${answer.slice(0, 300)}`;
          expect(response.status, where).toBeLessThan(500);
          expect(logged, where).toEqual([]);
        }),
        { numRuns: 30, seed: 20_261_127, interruptAfterTimeLimit: 4000 },
      );
    }
  });

  it("knows every key of its bodies: no object takes others, but for those of any kind", () => {
    const open: string[] = [];
    const look = (given: Schema, at: string, seen: readonly Schema[]) => {
      const schema = resolved(given);
      if (seen.includes(schema)) return;
      const inside = [...seen, schema];
      if (schema.properties !== undefined && schema.additionalProperties !== false) open.push(at);
      for (const [name, field] of Object.entries(schema.properties ?? {}))
        look(field, `${at}.${name}`, inside);
      if (schema.items) look(schema.items as Schema, `${at}[]`, inside);
      for (const one of [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) => list ?? []))
        look(one as Schema, at, inside);
    };
    for (const { schema, operationId } of operationsOf())
      if (schema !== undefined) look(schema, operationId, []);
    expect(open).toEqual([]);
  });
});

describe("every route", () => {
  it("refuses a query parameter that it does not know, by its name", async () => {
    const taken: string[] = [];
    for (const { method, path, schema, parameters } of operationsOf()) {
      if (!path.startsWith("/v1/")) continue;
      const init = schema === undefined ? { method } : { ...jsonPost({}), method };
      const needed = parameters.filter((one) => one.in === "query" && one.required);
      const query = new URLSearchParams(Object.fromEntries(needed.map(({ name }) => [name, "1"])));
      query.set("unknown_key", "1");
      const response = await app.request(`${named(path)}?${query}`, init);
      const message = await response.text();
      if (response.status !== 400 || !message.includes("unknown_key"))
        taken.push(`${method} ${path} -> ${response.status} ${message.slice(0, 100)}`);
    }
    expect(taken).toEqual([]);
  });
});
