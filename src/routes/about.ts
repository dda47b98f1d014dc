import { createHash } from "node:crypto";
import { Hono } from "hono";
import type { Packs } from "../encoders/packs.js";
import { docsPage, docsScript } from "../openapi/docs-page.js";
import type { OpenApiDocument } from "../openapi/document.js";
import { version } from "../version.js";
import { ServerAnswer } from "../wire/server.js";
import { describe, json, text } from "./describe.js";

const tag = "Server";
const operations = {
  about: describe({
    id: "about",
    tag,
    summary: "Name, version and links of this server",
    answers: { 200: { content: json(ServerAnswer) } },
  }),
  openApi: describe({
    id: "openApi",
    tag,
    summary: "This description, as OpenAPI 3.1",
    answers: { 200: { content: { "application/json": { type: "object" } } } },
  }),
  docs: describe({
    id: "docs",
    tag,
    summary: "This description as a page",
    answers: { 200: { content: text("text/html") } },
  }),
};

const scriptHash = createHash("sha256").update(docsScript).digest("base64");
const pagePolicy =
  `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /`, `/openapi.json` and `/docs`: the server's name and the description of its routes. */
export function aboutRoutes({
  packs,
  openApi,
}: {
  packs: Packs;
  openApi: () => Promise<OpenApiDocument>;
}) {
  // As texts: written anew, half a megabyte of JSON takes 20 ms each time that anybody asks
  let texts: Promise<{ json: string; page: ReturnType<typeof docsPage> }> | undefined;
  const described = () => {
    texts ??= openApi().then((document) => ({
      json: JSON.stringify(document),
      page: docsPage(document),
    }));
    return texts;
  };
  return new Hono()
    .get("/", operations.about, (c) =>
      c.json({
        name: "crossmodal",
        version,
        models: packs.list().map(({ manifest }) => manifest.id),
        links: {
          openapi: "/openapi.json",
          docs: "/docs",
          models: "/v1/models",
          ready: "/health/ready",
        },
      } satisfies ServerAnswer),
    )
    .get("/openapi.json", operations.openApi, async (c) =>
      c.body((await described()).json, 200, { "content-type": "application/json" }),
    )
    .get("/docs", operations.docs, async (c) => {
      c.header("content-security-policy", pagePolicy);
      return c.html((await described()).page);
    });
}
