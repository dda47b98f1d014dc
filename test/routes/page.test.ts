import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { pageRoutes } from "../../src/routes/page.js";

const built = "dist/web";
const asHtml = { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } };

const isBuilt = existsSync(join(built, "index.html"));
if (!isBuilt) console.warn("page.test.ts is left out: there is no dist/web (npm run build)");

describe.skipIf(!isBuilt)("GET /, for who accepts HTML", () => {
  const app = new Hono().route("/", pageRoutes(built)).get("/", (c) => c.json({ is: "JSON" }));

  it("is the page, with a policy that allows nothing inline or from other hosts", async () => {
    const response = await app.request("/", asHtml);
    expect(await response.text()).toBe(readFileSync(join(built, "index.html"), "utf8"));
    const policy = response.headers.get("content-security-policy")!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(policy).not.toContain("http");
    expect(response.headers.get("vary")).toContain("Accept");
  });

  it.each([[undefined], ["*/*"], ["application/json"]])("is JSON for %s", async (accept) => {
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    expect(await (await app.request("/", { headers })).json()).toEqual({ is: "JSON" });
  });

  it("serves its files for ever, compressed, with their types and ranges", async () => {
    const script = /assets\/index-[^"]*\.js/.exec(readFileSync(join(built, "index.html"), "utf8"))!;
    const headers = { "accept-encoding": "gzip" };
    const response = await app.request(`/${script[0]}`, { headers });
    expect(response.headers.get("cache-control")).toContain("immutable");
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("content-type")).toContain("javascript");
    const sound = readdirSync(join(built, "assets")).find((name) => name.endsWith(".opus"));
    const range = await app.request(`/assets/${sound}`, { headers: { range: "bytes=0-3" } });
    expect([range.status, await range.text()]).toEqual([206, "OggS"]);
    expect((await app.request("/assets/../package.json")).status).toBe(404);
    expect((await app.request("/assets/%2e%2e/%2e%2e/package.json")).status).toBe(404);
  });

  it("is the latest build's, also when that came while the server ran", async () => {
    const folder = mkdtempSync(join(tmpdir(), "crossmodal-page-"));
    writeFileSync(join(folder, "index.html"), "first");
    const served = pageRoutes(folder);
    const page = async () => (await served.request("/", asHtml)).text();
    expect(await page()).toBe("first");
    rmSync(join(folder, "index.html"));
    expect(await page()).toBe("first");
    writeFileSync(join(folder, "index.html"), "second");
    expect(await page()).toBe("second");
    rmSync(folder, { recursive: true });
  });

  it("bundles nothing that NOTICE does not name", () => {
    const notice = readFileSync("NOTICE", "utf8");
    const bundled = [
      ...readFileSync(join(built, "licenses.md"), "utf8").matchAll(/^## (\S+) - /gm),
    ];
    expect(bundled.length).toBeGreaterThan(0);
    for (const [, name] of bundled) expect(notice).toContain(`  ${name} `);
  });

  it("is at most 300 KB at first: the frame, Classify, the font and the examples' pictures", () => {
    // Pictures of the gallery are asked for at a click.
    const first =
      /^(index|classify-view)-.*\.(js|css)$|^inter-latin-wght-|\.svg$|^(cat|rocket|temple)-/;
    const files = readdirSync(join(built, "assets")).filter((name) => first.test(name));
    const sizes = [join(built, "index.html"), ...files.map((name) => join(built, "assets", name))]
      .map((path) => ({ path, bytes: gzipSync(readFileSync(path)).length }))
      .sort((a, b) => b.bytes - a.bytes);
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    console.info(`first load: ${(total / 1000).toFixed(0)} KB compressed`);
    expect(total, JSON.stringify(sizes)).toBeLessThan(300_000);
  });
});

describe("pageRoutes without a build", () => {
  it("leaves / to others", async () => {
    const app = new Hono()
      .route("/", pageRoutes("/nowhere"))
      .get("/", (c) => c.json({ is: "JSON" }));
    expect(await (await app.request("/", asHtml)).json()).toEqual({ is: "JSON" });
  });
});
