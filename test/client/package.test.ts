import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { createClient } from "../../src/client/client.js";

const project = mkdtempSync(join(tmpdir(), "crossmodal-client-package-"));
const installed = join(project, "node_modules", "crossmodal");
const run = (...args: string[]) =>
  spawnSync(process.execPath, args, { cwd: project, encoding: "utf8" });
const tsc = resolve("node_modules/typescript/bin/tsc");

/** What stands in the page between the marks of a block of TypeScript. */
const snippets = [...readFileSync("docs/client.md", "utf8").matchAll(/```ts\n(.*?)```/gs)].map(
  ([, code]) => code,
);

let bundle: { inputs: string[]; code: string };
beforeAll(async () => {
  // A project with the package as npm installs it: package.json, what the build makes, zod.
  mkdirSync(installed, { recursive: true });
  cpSync("package.json", join(installed, "package.json"));
  symlinkSync(resolve("node_modules/zod"), join(project, "node_modules", "zod"));
  const config = {
    extends: resolve("tsconfig.build.json"),
    compilerOptions: {
      rootDir: resolve("src"),
      outDir: join(installed, "dist"),
      incremental: false,
      typeRoots: [resolve("node_modules/@types")],
    },
    include: [],
    files: [resolve("src/client/client.ts")],
  };
  writeFileSync(join(project, "emit.json"), JSON.stringify(config));
  const built = spawnSync(process.execPath, [tsc, "-p", join(project, "emit.json")], {
    encoding: "utf8",
  });
  expect(built.stdout).toBe("");
  writeFileSync(join(project, "package.json"), '{"type": "module", "private": true}');
  writeFileSync(join(project, "page.js"), 'export * from "crossmodal/client";');
  const { metafile, outputFiles } = await build({
    absWorkingDir: project,
    entryPoints: ["page.js"],
    bundle: true,
    minify: true,
    metafile: true,
    write: false,
    format: "iife",
    globalName: "crossmodal",
    platform: "browser",
    target: "es2022",
  });
  bundle = { inputs: Object.keys(metafile.inputs), code: outputFiles[0].text };
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("crossmodal/client as a package", () => {
  it("type-checks the examples of docs/client.md in a strict project with library checks", () => {
    expect(snippets.length).toBeGreaterThan(2);
    for (const [i, code] of snippets.entries()) writeFileSync(join(project, `s${i}.ts`), code);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: "esnext",
      moduleResolution: "bundler",
      target: "es2022",
      lib: ["es2022", "dom", "dom.iterable", "dom.asynciterable"],
      types: [],
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
    };
    const config = { compilerOptions, files: snippets.map((_, i) => `s${i}.ts`) };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    expect(run(tsc, "-p", "tsconfig.json").stdout).toBe("");
  });

  it("is one small file for a browser: neither zod nor anything of Node", () => {
    const ours = (path: string) => path.startsWith("node_modules/crossmodal/dist/client/");
    expect(bundle.inputs.filter((path) => path !== "page.js" && !ours(path))).toEqual([]);
    expect(bundle.code).not.toMatch(/\bnode:|\brequire\(|\bprocess\./);
    const [, limit] = /less than (\d+) KB/.exec(readFileSync("docs/client.md", "utf8")) ?? [];
    expect(gzipSync(bundle.code).length).toBeLessThan(1024 * Number(limit));
  });

  it("loads in Node", () => {
    const code = 'import("crossmodal/client").then((c) => console.log(Object.keys(c).join()))';
    expect(run("-e", code).stdout.trim()).toBe("ApiError,ConnectionError,createClient");
  });
});

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const found = existsSync(executablePath);
if (!found)
  console.warn(`No browser at ${executablePath} (set CHROMIUM_PATH): its test is left out`);

describe.skipIf(!found)("crossmodal/client in a browser", () => {
  const profile = mkdtempSync(join(tmpdir(), "crossmodal-chromium-"));
  const bodies: { url?: string; type?: string; body: string }[] = [];
  let server: Server;
  let context: BrowserContext;
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const { url, headers } = request;
      let body = "";
      for await (const chunk of request.setEncoding("latin1")) body += chunk;
      if (url === "/")
        return response.setHeader("content-type", "text/html").end("<!doctype html>");
      if (!url?.startsWith("/api/")) return response.writeHead(404).end();
      bodies.push({ url, type: headers["content-type"], body });
      if (url?.endsWith("/items")) {
        const ids = body
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line).id as string);
        return response.end(ids.map((id) => `{"id":"${id}","status":"stored"}\n`).join(""));
      }
      response.end('{"scores":[{"label":"cat","score":1}]}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    context = await chromium.launchPersistentContext(profile, {
      executablePath,
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
    });
  });
  afterAll(async () => {
    await context?.close();
    server?.close();
    rmSync(profile, { recursive: true, force: true });
  });

  it("sends a file as a form, and items as lines in requests of a megabyte", async () => {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.addScriptTag({ content: bundle.code });
    const [label, ids] = await page.evaluate(async () => {
      const { crossmodal } = globalThis as unknown as {
        crossmodal: { createClient: typeof createClient };
      };
      const client = crossmodal.createClient({ url: "/api" });
      const image = new File(["picture"], "cat.jpg");
      const { scores } = await client.zeroShot({ image, candidate_labels: ["cat", "dog"] });
      const items = [1, 2, 3, 4].map((n) => ({ id: String(n), text: "x".repeat(600_000) }));
      const ids: (string | null)[] = [];
      for await (const { id } of client.addItemStream("c", items)) ids.push(id);
      return [scores[0].label, ids] as const;
    });
    expect([label, ids]).toEqual(["cat", ["1", "2", "3", "4"]]);
    const [form, ...streams] = bodies;
    expect(form.url).toBe("/api/v1/zero-shot");
    expect(form.type).toMatch(/^multipart\/form-data/);
    expect(form.body).toContain("picture");
    expect(streams.map(({ body }) => body.split("\n").length - 1)).toEqual([2, 2]);
  });
});
