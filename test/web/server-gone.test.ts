import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import { seededRandom } from "../../src/math/random.js";
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

const many = 800;
const trained = 250;

/** Enough for a training and a layout that take some seconds. */
async function fillMany() {
  const client = createClient({ url: server.url });
  const { dimensions } = await client.createCollection({ name: "many", model: "starter-clip" });
  const random = seededRandom(5);
  const items = Array.from({ length: many }, (_, i) => {
    const embedding = Array.from({ length: dimensions }, () => random.normal());
    embedding[i % 3] += 20;
    const length = Math.hypot(...embedding);
    return {
      id: `item ${i}`,
      modality: "image" as const,
      embedding: embedding.map((x) => Number((x / length).toFixed(4))),
      metadata: i < trained ? { kind: ["even", "odd", "other"][i % 3] } : {},
    };
  });
  expect((await client.addItems("many", items)).failed).toBe(0);
}

const open = async (hash: string) => (await browser.open(`${server.url}/#/${hash}`)).page;
const gone = (page: Page) => page.getByText("This page goes on by itself when the server is back");

describe.skipIf(!found)("the page while its server is gone", () => {
  it("says so in every view, and goes on where it was when the server is back", async () => {
    const classify = await open("classify?example=cat&labels=cat|tiger");
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

    // The same where the network is gone, and the server is not
    const pages = [classify, search, map, teach, gap, system];
    await map.getByLabel("Laid out by").selectOption("pca");
    await map.getByText("9 items ·").waitFor();
    await browser.context.setOffline(true);
    for (const page of pages) await page.getByText("This device is offline").first().waitFor();
    await classify.getByRole("button", { name: "Remove tiger" }).click();
    await search.getByLabel("Search by a sentence").fill("a boat");
    await search.getByText("The search failed").waitFor();
    await search.getByLabel("Files to add").setInputFiles([file("images/coffee.webp")]);
    await map.getByLabel("Near to a text").fill("a boat");
    await map.keyboard.press("Enter");
    await map.locator(".map-highlights", { hasText: "This device is offline" }).waitFor();
    await teach.getByLabel("Examples of alpha").setInputFiles([file("images/temple.jpg")]);
    await gap.getByLabel("Field that pairs share").fill("pair");
    await gap.keyboard.press("Enter");
    await gap.getByText("This cannot be measured").waitFor();
    await system.route("**/assets/gap-view-*", (route) => route.abort()); // not from the cache
    await system.getByRole("link", { name: "Gap" }).click();
    await system.getByText("This view could not be loaded").waitFor();

    await system.unrouteAll();
    await browser.context.setOffline(false);
    for (const page of pages) await gone(page).waitFor({ state: "detached" });
    await search.getByText("starter-clip reads the text").waitFor();
    await search.getByText("1 stored").waitFor();
    await map.getByText("The stronger a point, the nearer to “a boat”").waitFor();
    await teach.locator(".examples-of-class li:not(.pending):not(.failed)").nth(2).waitFor();
    await gap.getByText("4 pairs").waitFor();
    await system.getByText("How far apart do pictures, sounds and texts lie?").waitFor();
    await classify.locator(".bars .best").waitFor();
    await Promise.all(pages.map((page) => page.close()));
  }, 300_000);

  it("goes on with the jobs that the server was at", async () => {
    await fillMany();
    const teach = await open("teach/many?by=kind");
    await teach.getByText("Or teach the search").click();
    const map = await open("map/many?by=umap");
    await map.getByRole("button", { name: "Lay out" }).waitFor();
    const system = await open("system");
    const job = (text: string) =>
      system.getByRole("region", { name: "Jobs" }).getByRole("listitem").filter({ hasText: text });
    await map.getByRole("button", { name: "Lay out" }).click();
    await map.getByText("Laying out: ").waitFor();
    await teach.getByRole("button", { name: "Train many-search" }).click();
    // In the middle of it, or on a fast machine already at its end
    await teach
      .getByText(/^round \d+ of|^many-search, version 1$/)
      .first()
      .waitFor();
    const learning = { name: "later", from: "starter-clap", to: "starter-clip" };
    await createClient({ url: server.url }).learnBridge({ ...learning, method: "c-mcr" });

    server.child.kill("SIGKILL");
    await server.ended;
    for (const page of [teach, map, system]) await gone(page).waitFor();
    await map.close();
    const { port } = new URL(server.url);
    server = await serve(["--port", port], server.dataDir);

    // What a page follows goes on by itself, also where that is opened anew; the rest at a click
    const teachAgain = await open("teach/many?by=kind");
    const bridge = job("learning a bridge later");
    await bridge.getByText("interrupted when the server stopped").waitFor();
    await bridge.getByRole("button", { name: "Go on" }).click();
    await bridge.getByRole("button", { name: "Cancel" }).click();
    await bridge.getByText("cancelled").waitFor();
    const again = await open("map/many?by=umap");
    const atLength = { timeout: 120_000 }; // on a machine that is busy with others
    await again.getByText(`${many} items`, { exact: true }).waitFor(atLength);
    await teach.getByText("many-search, version 1").waitFor(atLength);
    await teachAgain.getByRole("listitem", { name: "many-search, version 1" }).waitFor();
    await job("training a head many-search, version 1").waitFor();
    await job("laying a collection out many").getByText("succeeded").waitFor();
    await Promise.all([teach, teachAgain, again, system].map((page) => page.close()));
  }, 300_000);
});
