import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openApiDocument } from "../../src/openapi/document.js";
import { startApp } from "../helpers/services.js";

const page = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), "utf8");

describe("docs/api.md and docs/clients.md", () => {
  it("name every route of the server", async () => {
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
});
