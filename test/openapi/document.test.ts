import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import { type OpenApiDocument, openApiDocument } from "../../src/openapi/document.js";
import type { Services } from "../../src/services.js";
import { AnswerChecker } from "../helpers/check-answers.js";
import { startApp } from "../helpers/services.js";

let app: App;
let services: Services;
let document: OpenApiDocument;
beforeAll(async () => {
  ({ app, services } = await startApp({ models: [] }));
  document = (await (await app.request("/openapi.json")).json()) as OpenApiDocument;
});
afterAll(() => services.close());

/** `GET /v1/models/{id}` of every route. */
const routesOf = () =>
  new Set(
    app.routes
      .filter(({ method, path }) => method !== "ALL" && !path.includes("*"))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}")}`),
  );
const operationsOf = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      route: `${method.toUpperCase()} ${path}`,
      ...operation,
    })),
  );

describe("/openapi.json", () => {
  it("describes every route and no other", () => {
    const described = operationsOf().map(({ route }) => route);
    expect(described.length).toBeGreaterThan(40);
    expect(new Set(described)).toEqual(routesOf());
  });

  it("gives each operation a unique name, a summary, a tag and the errors of every route", () => {
    const operations = operationsOf();
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { route, summary, tags, responses } of operations) {
      if (tags.includes("Compatibility")) continue;
      expect([route, typeof summary, tags.length]).toEqual([route, "string", 1]);
      expect(Object.keys(responses), route).toEqual(expect.arrayContaining(["401", "500", "504"]));
    }
  });

  it("names each schema once, and refers to no other", () => {
    const text = JSON.stringify(document);
    const referred = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(referred.filter((name) => !(name in document.components.schemas))).toEqual([]);
    expect(text).not.toMatch(/\$defs|x-never|x-nested/);
  });

  it("has schemas that a validator of JSON Schema 2020-12 takes", () => {
    const checker = new AnswerChecker(document);
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => checker.compile(`#/components/schemas/${name}`), name).not.toThrow();
    }
  });

  it("describes bodies as the routes take them: required fields, defaults, limits, files", () => {
    const { SearchBody, NewCollection, EmbeddingsRequest } = document.components.schemas as Record<
      string,
      { required?: string[]; properties: Record<string, object>; additionalProperties: boolean }
    >;
    expect(NewCollection.required).toEqual(["name"]);
    expect(NewCollection.properties.previews).toMatchObject({ default: true });
    expect(NewCollection.additionalProperties).toBe(false);
    expect(EmbeddingsRequest.required).toEqual(["input"]);
    expect(SearchBody.properties.queries).toEqual({
      anyOf: [
        {
          type: "array",
          items: { $ref: "#/components/schemas/QueryBody" },
          minItems: 1,
          maxItems: 100_000,
        },
        { type: "null" },
      ],
    });
    const { content } = document.paths["/v1/zero-shot"].post.requestBody!;
    expect(content["multipart/form-data"].schema).toMatchObject({
      properties: { image: { anyOf: [{ type: "string" }, { type: "string", format: "binary" }] } },
    });
    const { content: lines } = document.paths["/v1/collections/{name}/items"].post.responses["200"];
    expect(Object.keys(lines ?? {})).toEqual(["application/json", "application/x-ndjson"]);
  });

  it("is the same whether it is asked for or made", async () => {
    expect(await openApiDocument(app)).toEqual(document);
  });
});

describe("GET /docs", () => {
  it("shows every operation and schema, and loads nothing from elsewhere", async () => {
    const response = await app.request("/docs");
    const page = await response.text();
    for (const { operationId, summary } of operationsOf()) {
      expect(page).toContain(`id="${operationId}"`);
      expect(page).toContain(summary.replaceAll("'", "&#39;"));
    }
    for (const name of Object.keys(document.components.schemas))
      expect(page).toContain(`<details id="${name}">`);
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });
});

describe("GET /", () => {
  it("says what answers here and where its description is", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    const answer = (await (await app.request("/")).json()) as { links: Record<string, string> };
    expect(answer).toMatchObject({ name: "crossmodal", version, models: [] });
    for (const link of Object.values(answer.links))
      expect((await app.request(link)).status, link).toBe(200);
  });
});
