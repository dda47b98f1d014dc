import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { configurationPage } from "../scripts/configuration-page.js";
import { openApiDocument } from "../src/openapi/document.js";
import { statusOf } from "../src/routes/error-response.js";
import { startApp } from "./helpers/services.js";

const page = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), "utf8");

describe("docs", () => {
  it("has a row with the right status for every error code, and no other", () => {
    const rows = [...page("errors.md").matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(
      ([, code, status]) => [code, Number(status)],
    );
    expect(Object.fromEntries(rows)).toEqual({ ...statusOf, internal: 500 });
  });

  it("names every route of the server in api.md or clients.md", async () => {
    const { app, services } = await startApp({ models: ["starter-clip"] });
    await services.close();
    const api = page("api.md") + page("clients.md");
    const { paths } = await openApiDocument(app);
    const named = Object.keys(paths).filter((path) => !path.startsWith("/compat/"));
    expect(named.length).toBeGreaterThan(20);
    const missing = named.filter((path) => {
      // A table may leave the beginning out: `…/{name}/activate`.
      const end = path.split("/").slice(-2).join("/");
      return !api.includes(path) && !api.includes(end);
    });
    expect(missing).toEqual([]);
  });

  it("lists every configuration option as the schema has it", () => {
    expect(page("configuration.md")).toBe(configurationPage());
  });
});
