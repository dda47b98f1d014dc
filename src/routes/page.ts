import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { accepts } from "hono/accepts";

/** Nothing inline and nothing from other hosts; blob: is what the page itself made or was given. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Output of `npm run build`; the same relative path from src/ and dist/. */
const builtPage = join(import.meta.dirname, "../../dist/web");

/**
 * The web page: `GET /` for clients that accept HTML, and its files under /assets, whose names
 * change with their content. Needs no key, since keys are entered there. Absent without a build.
 */
export function pageRoutes(folder = builtPage) {
  const routes = new Hono();
  const indexPath = join(folder, "index.html");
  if (!existsSync(indexPath)) return routes;
  let index = readFileSync(indexPath, "utf8");
  return routes
    .get("/", async (c, next) => {
      c.header("Vary", "Accept");
      const supports = ["application/json", "text/html"];
      const type = accepts(c, { header: "Accept", supports, default: "application/json" });
      if (type !== "text/html") return next();
      // A build replaces it while the server runs, and the files that the last one names are gone.
      index = await readFile(indexPath, "utf8").catch(() => index);
      c.header("Content-Security-Policy", policy);
      c.header("Cache-Control", "no-cache");
      c.header("Referrer-Policy", "no-referrer");
      c.header("X-Content-Type-Options", "nosniff");
      return c.html(index);
    })
    .use("/assets/*", async (c, next) => {
      await next();
      if (!c.res.ok) return;
      c.header("Cache-Control", "public, max-age=31536000, immutable");
      c.header("X-Content-Type-Options", "nosniff");
    })
    .get("/assets/*", serveStatic({ root: folder, precompressed: true })); // by the build
}
