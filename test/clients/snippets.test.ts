// slow: runs what the page shows, with every client's own package
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Services } from "../../src/services.js";
import { startApp } from "../helpers/services.js";

const page = readFileSync("docs/clients.md", "utf8");
const python = ".venv/bin/python";
const modules = [".clients/node_modules", "node_modules"].find(existsSync)!;

/** Every block of a language, with the heading that it stands under. */
function blocksOf(language: string): { name: string; code: string }[] {
  let name = "";
  return [...page.matchAll(/^##+ (.*)$|^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(
    ([, heading, found, code]) => {
      if (heading !== undefined) name = heading;
      return found === language ? [{ name, code }] : [];
    },
  );
}

/** What a block's comments say it prints; … stands for anything. */
function expectPrinted(printed: string, comments: readonly string[]): void {
  expect(comments.length).toBeGreaterThan(0);
  const escaped = comments.join("\n").replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  expect(printed.trim()).toMatch(new RegExp(`^${escaped.replaceAll("…", "[^]*?")}$`));
}

let services: Services;
let server: ReturnType<typeof serve>;
let address: string;
const atServer = (code: string) => code.replaceAll("127.0.0.1:8080", address);
beforeAll(async () => {
  const [, given] = /serve --aliases '([^']+)'/.exec(page)!;
  const [, soundspanMusic] = /--soundspan-music (\S+)/.exec(page)!;
  const aliases = Object.fromEntries(given.split(",").map((alias) => alias.split("=")));
  const started = await startApp({ aliases, soundspanMusic });
  services = started.services;
  server = await new Promise((resolve) => {
    const options = { fetch: started.app.fetch, hostname: "127.0.0.1", port: 0 };
    const listening = serve(options, () => resolve(listening));
  });
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await services.close();
});

describe("docs/clients.md", () => {
  it("has a snippet for every client of its table", () => {
    const table = [...page.matchAll(/^\| ([^|]+) \| (?:`[\w.-]+` )?\| .*\|$/gm)].map(
      ([, names]) => names.split(/[ ,']/)[0],
    );
    const shown = new Set(["js", "py", "sh"].flatMap(blocksOf).map(({ name }) => name));
    const missing = table
      .filter((name) => name !== "Client" && !name.startsWith("-"))
      .filter((name) => ![...shown].some((heading) => heading.startsWith(name)));
    expect(table.length).toBeGreaterThan(15);
    expect(missing).toEqual([]);
  });

  const installed = blocksOf("js").filter(
    ({ code }) => modules !== "node_modules" || !code.includes("@langchain/community"),
  );
  it.each(installed)("prints what its comments say: $name, JavaScript", async ({ code }) => {
    // In this process: starting one for each block takes longer than all of them
    const folder = mkdtempSync(join(modules, ".snippet-"));
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    try {
      const file = join(folder, "snippet.mjs");
      writeFileSync(file, atServer(code));
      await import(/* @vite-ignore */ pathToFileURL(file).href);
      const lines = printed.mock.calls.map((values) => values.join(" ")).join("\n");
      const comments = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)];
      expectPrinted(
        lines,
        comments.map(([, expected]) => expected),
      );
    } finally {
      printed.mockRestore();
      rmSync(folder, { recursive: true });
    }
  });

  it.skipIf(!existsSync(python))(
    "prints what its comments say, Python",
    async () => {
      const blocks = blocksOf("py");
      const run = promisify(execFile)(python, ["test/clients/run_snippets.py"], {
        maxBuffer: 2 ** 24,
      });
      run.child.stdin!.end(JSON.stringify(blocks.map(({ code }) => atServer(code))));
      const printed = JSON.parse((await run).stdout) as string[];
      for (const [i, { code }] of blocks.entries()) {
        const comments = [...code.matchAll(/^(?:print|asyncio\.run)\(.*\) {2}# (.*)$/gm)];
        expectPrinted(
          printed[i],
          comments.map(([, expected]) => expected),
        );
      }
    },
    300_000,
  );

  it.each(blocksOf("sh"))("prints what its comments say: $name, curl", async ({ code }) => {
    const { stdout } = await promisify(execFile)("bash", ["-c", atServer(code)]);
    const comments = [...code.matchAll(/^# (.*)$/gm)];
    expectPrinted(
      stdout,
      comments.map(([, expected]) => expected),
    );
  });
});
