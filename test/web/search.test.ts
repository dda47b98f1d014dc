import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import { fitsWidth, seriousFindings, tap } from "../helpers/browser.js";
import { servedPage } from "../helpers/served-page.js";

const served = servedPage("test/web/search.test.ts");

const upload = (path: string, name = path.slice(path.lastIndexOf("/") + 1)) => ({
  name,
  mimeType: "",
  buffer: readFileSync(`fixtures/${path}`),
});
const pictures = ["cat.jpg", "rocket.avif", "coffee.webp", "flower.webp", "temple.jpg"];
/** Names of what is shown, best first. */
const shown = (page: Page) => page.locator(".results .name").allTextContents();
/** What a screen reader says of the tile that has the focus. */
const cellWithFocus = (page: Page) =>
  page.evaluate<string | null>("document.activeElement.getAttribute('aria-label')");

describe.skipIf(!served.found)("the page's Search view", () => {
  it("says what to do first, makes a collection, fills it, and names what failed", async () => {
    const { page, requests } = await served.browser.open(`${served.url}/#/search`);
    await page.getByText("No collections yet").waitFor();
    await page.getByRole("button", { name: "Try it with 32 photographs" }).click();
    await page.getByText("32 stored").waitFor();
    await page.getByRole("button", { name: "something to drink" }).click();
    await expect.poll(async () => (await shown(page))[0]).toBe("cup-and-saucer.jpg");
    // Another order: pictures are faint below the line, and only there, whatever they were before.
    await page.getByRole("button", { name: "the sea" }).click();
    await expect.poll(async () => (await shown(page))[0]).toBe("under-water.jpg");
    const faint = await page
      .locator(".tile-frame .preview")
      .evaluateAll((previews) =>
        previews.map((preview) => [
          preview.closest(".faint") !== null,
          Number(getComputedStyle(preview).opacity) < 1,
        ]),
      );
    expect(faint.map(([isBelow]) => isBelow)).toContain(true);
    for (const [isBelow, isFaint] of faint) expect(isFaint).toBe(isBelow);
    await page.getByRole("button", { name: "the sound of a dog barking" }).click();
    await expect.poll(async () => (await shown(page)).slice(0, 2)).toEqual(["dog.jpg", "dogs.jpg"]);
    await page.getByRole("button", { name: "Delete this collection" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("No collections yet").waitFor();
    await page.getByLabel("Name").fill("pictures");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("pictures is empty").waitFor();
    await page
      .getByLabel("Files to add")
      .setInputFiles([
        ...pictures.map((name) => upload(`images/${name}`)),
        { name: "broken.png", mimeType: "image/png", buffer: Buffer.from("not a picture") },
        { name: "Thumbs.db", mimeType: "", buffer: Buffer.from("junk") },
      ]);
    await page.getByText("Added to pictures").waitFor();
    await page.getByText("5 stored · 1 failed · 1 left out").waitFor();
    await page.getByText("1 could not be added").click();
    await page.locator(".upload li", { hasText: "broken.png" }).waitFor();
    await page.getByText("1 left out, neither pictures nor sounds nor texts").click();
    await page.locator(".upload li", { hasText: "Thumbs.db" }).waitFor();
    await expect.poll(() => shown(page)).toHaveLength(5);
    // Again: what is stored from the same bytes is not sent.
    const sent = () => requests.filter((url) => url.endsWith("/items")).length;
    const before = sent();
    await page.getByLabel("Files to add").setInputFiles([upload("images/cat.jpg")]);
    await page.getByText("1 there already").waitFor();
    expect(sent()).toBe(before);
    await page.close();
  });

  it("finds by a sentence as it is typed, by keys alone, and a link restores it", async () => {
    const { page, logged } = await served.browser.open(`${served.url}/#/search/pictures`);
    await expect.poll(() => shown(page)).toHaveLength(5);
    await page.keyboard.press("/");
    await page.keyboard.type("a cup of coffee");
    await expect.poll(async () => (await shown(page))[0]).toBe("coffee.webp");
    await page.getByText("starter-clip reads the text").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("ArrowRight");
    await page.getByRole("complementary", { name: "Item coffee.webp" }).waitFor();
    await expect.poll(() => cellWithFocus(page)).toMatch(/^coffee\.webp, picture, similarity 0\./);
    await page.keyboard.press("s");
    await page.getByText("like coffee.webp").waitFor();
    await expect.poll(() => shown(page)).not.toContain("coffee.webp");
    // The tile that had the focus is gone: it is with the results still, at their first
    const [best] = await shown(page);
    await expect.poll(() => cellWithFocus(page)).toContain(best);
    await page.goBack();
    await expect.poll(async () => (await shown(page))[0]).toBe("coffee.webp");
    await page.reload();
    await expect.poll(async () => (await shown(page))[0]).toBe("coffee.webp");
    expect(logged).toEqual([]);
    await page.close();
  });

  it("gives the tile that the keys are at the browser's focus, wherever it is scrolled", async () => {
    const client = createClient({ url: served.url });
    await client.createCollection({ name: "many", space: "toy", dimensions: 2, previews: false });
    const items = Array.from({ length: 300 }, (_, i) => {
      return { id: `item ${i}`, modality: "image" as const, embedding: [1, 0] };
    });
    await client.addItems("many", items);
    const { page } = await served.browser.open(`${served.url}/#/search/many?view=list`);
    const first = page.getByRole("gridcell", { name: "item 0, picture" });
    await first.waitFor();
    expect(await page.locator("[role=gridcell][tabindex='0']").count()).toBe(1);
    await first.focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => cellWithFocus(page)).toBe("item 1, picture");
    await page.keyboard.press("x");
    await page.getByRole("gridcell", { name: "item 1, picture", selected: true }).waitFor();
    await page.keyboard.press("PageDown");
    await expect.poll(() => cellWithFocus(page)).toMatch(/^item \d\d, picture$/);
    await page.keyboard.press("PageUp");
    await expect.poll(() => cellWithFocus(page)).toBe("item 1, picture");
    await page.keyboard.press("End");
    await expect.poll(() => cellWithFocus(page)).toMatch(/^item (99|299), picture$/);
    // Out of sight it keeps the focus, and the keys go on from there.
    await page.mouse.move(700, 500);
    await page.mouse.wheel(0, -20_000);
    await expect.poll(() => page.evaluate<number>("scrollY")).toBe(0);
    await page.keyboard.press("Home");
    await expect.poll(() => cellWithFocus(page)).toBe("item 0, picture");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("complementary", { name: /^Item/ }).count()).toBe(0);
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Item item 0" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe(
      "Select item 0",
    );
    expect(await seriousFindings(page)).toEqual([]);
    await page.close();
    await client.deleteCollection("many");
  });

  it("gives way to a link that was followed a moment before it changes its own address", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search/pictures?q=a`);
    await expect.poll(() => shown(page)).toHaveLength(5);
    await page.evaluate(`{
      location.hash = "#/system"; // its event comes later
      const box = document.querySelector("input[type=search]");
      box.value = "a cat";
      box.dispatchEvent(new Event("input", { bubbles: true }));
    }`);
    await page.getByRole("region", { name: "Models" }).waitFor();
    expect(new URL(page.url()).hash).toBe("#/system");
    await page.goBack();
    await expect.poll(() => shown(page)).toHaveLength(5);
    await page.close();
  });

  it("lists the newest first or by name, and a link restores that", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search/pictures`);
    await expect.poll(() => shown(page)).toHaveLength(5);
    const oldestFirst = await shown(page);
    await page.getByLabel("Order").selectOption("newest first");
    await expect.poll(() => shown(page)).toEqual(oldestFirst.toReversed());
    await page.getByText("5 items, newest first").waitFor();
    await page.getByLabel("Order").selectOption("by name");
    await expect.poll(() => shown(page)).toEqual(oldestFirst.toSorted());
    await page.reload();
    await expect.poll(() => shown(page)).toEqual(oldestFirst.toSorted());

    // Of a list of more than a page, what is added meanwhile comes first where the newest do
    const client = createClient({ url: served.url });
    const { dimensions } = await client.createCollection({ name: "long", model: "starter-clip" });
    const embedding = Array.from({ length: dimensions }, (_, d) => (d === 0 ? 1 : 0));
    const items = Array.from({ length: 120 }, (_, i) => ({ id: `item ${i}`, embedding }));
    await client.addItems(
      "long",
      items.map((item) => ({ ...item, modality: "image" as const })),
    );
    await page.goto(`${served.url}/#/search/long?order=newest`);
    await page.reload(); // Of a collection that this page did not make
    await expect.poll(async () => (await shown(page))[0]).toBe("item 119");
    await page.getByLabel("Files to add").setInputFiles([upload("images/cat.jpg")]);
    await expect.poll(async () => (await shown(page))[0]).toBe("cat.jpg");
    await page.close();
    await client.deleteCollection("long");
  });

  it("draws a line where the results stop being about the sentence", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search/pictures?q=a+cat`);
    await page.getByText("Less certain from here").waitFor();
    expect(await page.locator(".tile-frame:not(.faint) .name").allTextContents()).toEqual([
      "cat.jpg",
    ]);
    await page.getByText("1 of 5 items is clearly about this").waitFor();
    await page.getByLabel("Select cat.jpg").check();
    await page.getByRole("button", { name: "Select all 5" }).click();
    await page.getByText("5 selected").waitFor();
    await page.close();
  });

  it("filters by values and ranges of fields, with chips, in the address too", async () => {
    const client = createClient({ url: served.url });
    const items = pictures.map((id, i) => ({
      id,
      metadata: { kind: i === 0 || i === 3 ? "alive" : "made", weight: i * 1.5 },
    }));
    await client.patchItems("pictures", { items });
    const { page } = await served.browser.open(`${served.url}/#/search/pictures`);
    await page.getByRole("button", { name: /^alive/ }).click();
    await expect.poll(() => shown(page)).toEqual(["cat.jpg", "flower.webp"]);
    // What could be chosen besides is counted as if nothing were chosen here.
    await page.getByRole("button", { name: /^made 3$/ }).click();
    await expect.poll(() => shown(page)).toHaveLength(5);
    await page.getByRole("button", { name: "Remove kind: alive or made" }).click();
    await page.goto(
      `${served.url}/#/search/pictures?filter=${encodeURIComponent(
        JSON.stringify({ and: [{ field: "weight", op: "gte", value: 3 }] }),
      )}`,
    );
    await expect.poll(() => shown(page)).toHaveLength(3);
    await page.getByRole("button", { name: "Remove weight from 3" }).click();
    await expect.poll(() => shown(page)).toHaveLength(5);
    await client.patchItems("pictures", { ids: pictures, metadata: { kind: null, weight: null } });
    await page.close();
  });

  it("opens a picture that is kept, and plays a sound, at the space bar", async () => {
    const client = createClient({ url: served.url });
    await client.createCollection({ name: "noises", model: "starter-clap", keep_media: true });
    const audio = new File([readFileSync("fixtures/audio/burp.wav")], "burp.wav");
    await client.addItem("noises", { id: "burp.wav", audio });
    const { page } = await served.browser.open(`${served.url}/#/search/pictures`);
    await page.getByRole("button", { name: /^cat\.jpg/ }).click();
    await page.keyboard.press("Space");
    const widthOf = () =>
      page.locator(".viewer img").evaluate((img) => (img as HTMLImageElement).naturalWidth);
    await expect.poll(widthOf).toBeGreaterThan(400);
    await page.keyboard.press("ArrowRight");
    const name = () => page.locator("dialog.viewer").getAttribute("aria-label");
    await expect.poll(name).not.toBe("cat.jpg");
    const next = await name();
    await page.keyboard.press("Escape");
    await page.getByRole("complementary", { name: `Item ${next}` }).waitFor();
    await page.goto(`${served.url}/#/search/noises`);
    // Its length is there before it is played
    await page.getByRole("gridcell", { name: /^burp\.wav, sound, \d\.\d s$/ }).waitFor();
    await page.getByRole("button", { name: /^burp\.wav/ }).click();
    await page.keyboard.press("x");
    await page.getByRole("button", { name: "Save originals…" }).click();
    const saved = page.waitForEvent("download");
    await page.getByRole("link", { name: /^Download 1 file, \d+ KB/ }).click();
    expect((await saved).suggestedFilename()).toBe("noises.zip");
    await page.keyboard.press("Space");
    await page.getByText(/^[\d.]+ s of [\d.]+ s$/).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.close();
  });

  it("finds by a picture, and by a sound over the bridge", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search/pictures`);
    await page.getByLabel("Search by a file").setInputFiles([upload("images/cat.jpg", "mine.jpg")]);
    await expect.poll(async () => (await shown(page))[0]).toBe("cat.jpg");
    await page.getByLabel("Search by a file").setInputFiles([upload("audio/dog.mp3")]);
    await page.getByText("starter-clap hears the sound, over a bridge").waitFor();
    await page.getByTitle("starter-clap/audio > bridge/starter-clap-to-starter-clip").waitFor();
    await page.close();
  });

  it("finds by what the microphone hears, from one press to the next", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search/pictures`);
    // Until somebody has touched the page, it hears nothing
    await page.getByLabel("Search by a sentence").click();
    await tap(page.getByRole("button", { name: "Record" }));
    const stop = page.getByRole("button", { name: "Stop recording" });
    await stop.waitFor();
    await new Promise((resolve) => setTimeout(resolve, 700)); // what is recorded takes its time
    await tap(stop);
    await page.getByText(/^recording .*\.wav$/).waitFor();
    await page.getByText("starter-clap hears the sound, over a bridge").waitFor();
    await page.close();
  });

  it("tags, exports and deletes what is selected, and takes both back", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search/pictures`);
    await expect.poll(() => shown(page)).toHaveLength(5);
    for (const name of ["cat.jpg", "flower.webp"]) await page.getByLabel(`Select ${name}`).check();
    const bar = page.getByRole("toolbar", { name: "Selected items" });
    await bar.getByRole("button", { name: "Tag…" }).click();
    await bar.getByLabel("Tag").fill("alive");
    await page.keyboard.press("Enter");
    await page.getByText("Tagged 2 items with alive").waitFor();
    await page.getByRole("button", { name: /^cat\.jpg/ }).click();
    await page.locator(".details .tags", { hasText: "alive" }).waitFor();
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      bar.getByRole("button", { name: "Save as CSV" }).click(),
    ]);
    const csv = readFileSync((await saved.path())!, "utf8");
    expect(csv).toContain("id,modality,similarity,source,text,tags");
    expect(csv).toContain('cat.jpg,image,,,,"[""alive""]"');
    await page.locator(".toast", { hasText: "Tagged" }).getByRole("button").click();
    await expect.poll(() => page.locator(".details .tags", { hasText: "alive" }).count()).toBe(0);
    await bar.getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => shown(page)).toHaveLength(3);
    await page.getByText("3 items, oldest first").waitFor();
    await page.locator(".toast", { hasText: "deleted" }).getByRole("button").click();
    await expect.poll(() => shown(page)).toHaveLength(5);
    await page.close();
  });

  it("deletes even when the page is left within the ten seconds", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search/pictures`);
    await page.getByLabel("Select temple.jpg").check();
    await page.getByRole("toolbar").getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => shown(page)).toHaveLength(4);
    await page.goto("about:blank");
    const count = async () =>
      ((await (await fetch(`${served.url}/v1/collections/pictures`)).json()) as { count: number })
        .count;
    await expect.poll(count).toBe(4);
    await page.close();
  });

  it("says what happened when the server stops in the middle, and goes on from there", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search/pictures`);
    const add = () =>
      page
        .getByLabel("Files to add")
        .setInputFiles(["galaxies.jpg", "moon.gif"].map((name) => upload(`images/${name}`)));
    await page.getByText("flower.webp").first().waitFor();
    await page.route("**/pictures/items", (route) => route.abort());
    await add();
    await page.getByText("Stopped: pictures").waitFor();
    await page.getByText("The server does not answer. Start it again").first().waitFor();
    await page.unrouteAll();
    await page.route("**/pictures/items", async (route) => {
      const error = { code: "too_large", message: "The request body is larger than 9 bytes" };
      await route.fulfill({ status: 413, json: { error } });
    });
    await add();
    await page.getByText("2 could not be added").click();
    await page.getByText("larger than 9 bytes. Make the file smaller").first().waitFor();
    await page.unrouteAll();
    await page.close();
  });

  it("says what to do where its own files are gone since the server was updated", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search`);
    await page.route("**/assets/map-view-*", (route) => route.fulfill({ status: 404 }));
    await page.getByRole("link", { name: "Map" }).click();
    await page.getByText("This view could not be loaded").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Reload" }).click();
    await page.getByRole("heading", { name: "Map" }).waitFor({ state: "attached" });
    expect(await page.locator(".not-started").count()).toBe(0);
    await page.route("**/assets/index-*", (route) => route.fulfill({ status: 404 }));
    await page.reload();
    await page.getByText("The page did not start").waitFor();
    await page.close();
  });

  it("says that a collection is gone which another window deleted", async () => {
    const create = { name: "short-lived", model: "starter-clip" };
    await fetch(`${served.url}/v1/collections`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(create),
    });
    const { page } = await served.browser.open(`${served.url}/#/search/short-lived`);
    await page.getByText("short-lived is empty").waitFor();
    await fetch(`${served.url}/v1/collections/short-lived`, { method: "DELETE" });
    await page.keyboard.press("/");
    await page.keyboard.type("anything");
    await page.getByText("This is gone").waitFor();
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByText("There is no collection short-lived").waitFor();
    await page.close();
  });

  it("finds what comes in after a search too, and mixes no collections or deleted items", async () => {
    const client = createClient({ url: served.url });
    await client.createCollection({ name: "coming", model: "starter-clip", keep_media: true });
    const { page, logged } = await served.browser.open(`${served.url}/#/search/coming`);
    await page.getByText("coming is empty").waitFor();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/coming/items", async (route) => {
      const isCoffee = route.request().postDataBuffer()?.includes("coffee.webp");
      if (isCoffee) await released;
      await route.continue();
    });
    const files = ["cat.jpg", "coffee.webp", "flower.webp"].map((name) => upload(`images/${name}`));
    await page.getByLabel("Files to add").setInputFiles(files);
    await page.getByLabel("Search by a sentence").fill("a cup of coffee");
    await expect
      .poll(async () => [...(await shown(page))].sort())
      .toEqual(["cat.jpg", "flower.webp"]);
    release();
    await page.getByText("3 stored").waitFor();
    await expect.poll(async () => (await shown(page))[0]).toBe("coffee.webp");
    // Down leads to the best; Escape leaves the box as it is, like the results
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => cellWithFocus(page)).toContain("coffee.webp");
    await page.keyboard.press("/");
    await page.keyboard.press("Escape");
    expect(await page.getByLabel("Search by a sentence").inputValue()).toBe("a cup of coffee");
    await page.getByLabel("Select coffee.webp").check();
    await page.getByRole("toolbar").getByRole("button", { name: "Delete" }).click();
    await Promise.all([
      page.waitForResponse("**/coming/search"),
      page.getByLabel("Search by a sentence").fill("coffee"),
    ]);
    await expect.poll(async () => (await shown(page)).includes("coffee.webp")).toBe(false);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(async () => (await shown(page))[0]).toBe("coffee.webp");
    await page.getByRole("link", { name: /^pictures/ }).click();
    await expect.poll(() => shown(page)).toHaveLength(4);
    expect(await page.getByText("Added to coming").count()).toBe(0);
    expect(logged).toEqual([]);
    await page.close();
    await client.deleteCollection("coming");
  });

  it.each([
    [360, "light"],
    [1440, "dark"],
  ] as const)("fits %i px in the %s theme, and axe finds nothing serious", async (width, theme) => {
    const { page } = await served.browser.open("about:blank");
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(`${served.url}/#/search/pictures?q=a+cat`);
    await expect.poll(async () => (await shown(page))[0]).toBe("cat.jpg");
    await page.getByRole("button", { name: /^cat\.jpg/ }).click();
    expect(await fitsWidth(page)).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);
    await page.close();
  });
});
