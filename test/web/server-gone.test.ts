import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import { type Browser, hasBrowser, openBrowser } from "../helpers/browser.js";
import { type ServedProcess, serve, untilReady } from "../helpers/serve.js";

const found = hasBrowser("test/web/server-gone.test.ts");
let server: ServedProcess;
let browser: Browser;
beforeAll(async () => {
  if (!found) return;
  [server, browser] = await Promise.all([serve(), openBrowser()]);
  await untilReady(server);
  await fill();
});
afterAll(async () => {
  await browser?.close();
  server?.child.kill();
  await server?.ended;
});

const file = (path: string) => ({
  name: path.slice(path.lastIndexOf("/") + 1),
  mimeType: "",
  buffer: readFileSync(`fixtures/${path}`),
});

const things = ["dog", "cat", "piano", "boat"];

/** Pairs of texts and vectors, enough for a map and a gap report. */
async function fill() {
  const client = createClient({ url: server.url });
  const { dimensions } = await client.createCollection({ name: "notes", model: "starter-clip" });
  const items = things.flatMap((thing, i) => [
    { id: `a ${thing}`, text: `a ${thing}`, metadata: { pair: i } },
    {
      id: `picture ${i}`,
      modality: "image" as const,
      embedding: Array.from({ length: dimensions }, (_, d) => (d === i ? 1 : 0)),
      metadata: { pair: i },
    },
  ]);
  expect((await client.addItems("notes", items)).failed).toBe(0);
}

const open = async (hash: string) => (await browser.open(`${server.url}/#/${hash}`)).page;
const gone = (page: Page) => page.getByText("This page goes on by itself when the server is back");

describe.skipIf(!found)("the page while its server is gone", () => {
  it("says so in every view, and goes on where it was when the server is back", async () => {
    const classify = await open("classify?example=cat");
    await classify.locator(".bars .best", { hasText: "cat" }).waitFor();
    const search = await open("search/notes");
    await search.getByText("a dog").first().waitFor();
    const map = await open("map/notes");
    await map.getByText("8 items ·").waitFor();
    const teach = await open("teach");
    await teach.getByLabel("Name of the class").first().fill("alpha");
    await teach.getByLabel("Examples of alpha").setInputFiles([file("images/cat.jpg")]);
    await teach.locator(".examples-of-class li:not(.pending)").waitFor();
    const gap = await open("gap/notes?pairs=pair");
    await gap.getByText("4 pairs").waitFor();
    const system = await open("system");
    await system.getByRole("link", { name: "notes" }).waitFor();

    server.child.kill("SIGKILL");
    await server.ended;

    await classify.getByLabel("Add a label").fill("kitten");
    await classify.keyboard.press("Enter");
    await classify.getByText("The server does not answer. Start it again").first().waitFor();
    await search.keyboard.press("/");
    await search.keyboard.type("an animal");
    await search.getByText("The search failed").waitFor();
    await search.getByLabel("Files to add").setInputFiles([file("images/temple.jpg")]);
    await map.getByLabel("Laid out by").selectOption("umap");
    await map.getByText("There is no map").waitFor();
    await teach.getByLabel("Examples of alpha").setInputFiles([file("images/rocket.avif")]);
    await gap.getByLabel("Field that pairs share").fill("");
    await gap.keyboard.press("Enter");
    await gap.getByText("This cannot be measured").waitFor();
    for (const page of [classify, search, map, teach, gap, system]) await gone(page).waitFor();

    const { port } = new URL(server.url);
    server = await serve(["--port", port], server.dataDir);
    for (const page of [classify, search, map, teach, gap, system])
      await gone(page).waitFor({ state: "detached" });
    await classify.locator(".bars .label", { hasText: "kitten" }).waitFor();
    await search.getByText("starter-clip reads the text").waitFor();
    await search.getByText("1 stored").waitFor();
    await map.getByRole("button", { name: "Lay out" }).waitFor();
    await teach.locator(".examples-of-class li:not(.pending):not(.failed)").nth(1).waitFor();
    await gap.getByText("4 texts").waitFor();
    await Promise.all([classify, search, map, teach, gap, system].map((page) => page.close()));
  }, 300_000);
});
