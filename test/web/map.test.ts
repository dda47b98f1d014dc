import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { type Client, createClient } from "../../src/client/client.js";
import { seededRandom } from "../../src/math/random.js";
import { type Point, pixelAt, type Size, wholeMap } from "../../web/src/views/map/viewport.js";
import { fitsWidth, seriousFindings } from "../helpers/browser.js";
import { fixture } from "../helpers/fixtures.js";
import { servedPage } from "../helpers/served-page.js";

const served = servedPage("test/web/map.test.ts");
const count = 10_000;

/** Pictures and texts in two clouds, and one picture far from all others. */
async function fill() {
  const client = createClient({ url: served.url });
  await client.createCollection({ name: "clouds", space: "toy", dimensions: 8, previews: false });
  const random = seededRandom(1);
  for (let from = 0; from < count; from += 2500) {
    const items = Array.from({ length: 2500 }, (_, k) => {
      const i = from + k;
      const embedding = Array.from({ length: 8 }, () => 0.1 * random.normal());
      embedding[i % 2] += 1;
      if (i === 0) embedding[2] = 3;
      const length = Math.hypot(...embedding);
      return {
        id: `item ${i}`,
        modality: i % 2 === 0 ? ("image" as const) : ("text" as const),
        embedding: embedding.map((x) => x / length),
        metadata: { third: i % 3 },
      };
    });
    const { failed } = await client.addItems("clouds", items);
    expect(failed).toBe(0);
  }
}

/** The points of a map by principal components. */
async function drawnPoints(client: Client, collection: string) {
  const { map, count } = await client.map(collection);
  const bytes = await (await client.mapPoints(collection, { map })).arrayBuffer();
  const { ids } = await client.mapIds(collection, { map });
  return { points: new Float32Array(bytes, 0, 2 * count), ids };
}

/** Where the whole map has its points on the page. */
function placesOf(points: Float32Array, box: { x: number; y: number } & Size): Point[] {
  const view = wholeMap({ points }, box);
  return Array.from({ length: points.length / 2 }, (_, i) => {
    const [x, y] = pixelAt(view, [points[2 * i], points[2 * i + 1]], box);
    return [box.x + x, box.y + y];
  });
}

const canvas = (page: Page) => page.getByRole("img", { name: /items in the plane/ });
const selected = (page: Page) => page.getByRole("region", { name: "Selected items" });

const colours = (page: Page) => page.getByRole("region", { name: "Colours" });

describe.skipIf(!served.found)("the page's Map view", () => {
  it("shows 10,000 items, and takes one by a click, many by a line, those in view by keys", async () => {
    await fill();
    const { page, logged } = await served.browser.open(`${served.url}/#/map/clouds`);
    await page.getByText("10,000 items ·").waitFor();
    const toSearch = page.getByRole("navigation").getByRole("link", { name: "Search" });
    expect(await toSearch.getAttribute("href")).toBe("#/search/clouds");
    await canvas(page).waitFor();
    const box = (await canvas(page).boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.getByRole("button", { name: "Encircle" }).click();
    await page.mouse.move(box.x + 2, box.y + 2);
    await page.mouse.down();
    for (const [right, down] of [
      [1, 0],
      [1, 1],
      [0, 1],
    ])
      await page.mouse.move(
        box.x + 2 + right * (box.width - 4),
        box.y + 2 + down * (box.height - 4),
      );
    await page.mouse.up();
    await selected(page).getByText("10,000 selected").waitFor();
    await selected(page).getByRole("button", { name: "item 0" }).click();
    await selected(page).getByText("item 0", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Its neighbours" }).click();
    await selected(page).getByText("item 0 and its nearest 24").waitFor();
    await canvas(page).focus();
    await page.keyboard.press("Escape");
    await selected(page).getByText("Nothing selected").waitFor();
    await page.keyboard.press("+");
    await page.keyboard.press("Enter");
    await selected(page)
      .getByText(/^[\d,]+ selected$/)
      .waitFor();
    await page.mouse.move(x, y);
    await page.mouse.wheel(0, 400);
    await page.getByRole("button", { name: "Whole map" }).click();
    await page.getByLabel("Colour by").selectOption("third");
    await colours(page).getByRole("button", { name: "1 3,333" }).click();
    await page.getByText("third: 1, 3,333 of 10,000 items").waitFor();
    await page.reload();
    await colours(page).getByRole("button", { name: "0 3,334" }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    // Vectors of one's own have no previews, which the browser logs.
    expect(logged.filter((text) => !text.includes("404"))).toEqual([]);
    await page.close();
  });

  it("leads into Search with the items that were encircled, few or many, also after a reload", async () => {
    const { page } = await served.browser.open(`${served.url}/#/map/clouds?item=item+0`);
    await page.getByRole("button", { name: "Its neighbours" }).click();
    await page.getByRole("button", { name: "Show these in Search" }).click();
    const few = page.getByText("25 of 10,000 items match the filters");
    await few.waitFor();
    await page.reload();
    await few.waitFor();
    await page.getByRole("button", { name: "Remove 25 chosen items" }).waitFor();
    await page.goto(`${served.url}/#/map/clouds`);
    await page.getByRole("button", { name: "List what is in view" }).click();
    await selected(page).getByText("10,000 selected").waitFor();
    await page.getByRole("button", { name: "Show these in Search" }).click();
    const many = page.getByText("+ of 10,000 items match the filters");
    await many.waitFor();
    const link = page.url();
    expect(link.length).toBeLessThan(200);
    await page.reload();
    await many.waitFor();
    await page.getByRole("button", { name: "Remove 10,000 chosen items" }).waitFor();
    await page.getByRole("gridcell", { name: /^item 1, text/ }).focus();
    await page.keyboard.press("s");
    await page.getByText(/^100\+ of 10,000 items, best first/).waitFor();
    await page.evaluate("sessionStorage.clear()");
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByText("These items are not chosen here").waitFor();
    await page.getByRole("button", { name: "Show all items" }).click();
    await page.getByText("10,000 items, oldest first").waitFor();
    await page.close();
  });

  it("opens with an item of the address in hand, in the dark and on a narrow window", async () => {
    const { page } = await served.browser.open("about:blank");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto(`${served.url}/#/map/clouds?item=item+7`);
    await selected(page).getByText("item 7", { exact: true }).first().waitFor();
    expect(await fitsWidth(page)).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);
    await page.close();
  });

  it("comes back to the part and the item that were seen", async () => {
    const client = createClient({ url: served.url });
    await client.createCollection({ name: "other", space: "toy", dimensions: 8, previews: false });
    const { points, ids } = await drawnPoints(client, "clouds");
    const [x, y] = points.subarray(2 * ids.indexOf("item 7"));
    const part = new URLSearchParams({ item: "item 7", colour: "third", at: `${x},${y},40` });
    const { page } = await served.browser.open(`${served.url}/#/map/clouds?${part}`);
    const hash = () => new URL(page.url()).hash;
    const inView = async () => {
      await page.getByRole("button", { name: "List what is in view" }).click();
      return selected(page).getByRole("status").textContent();
    };
    await selected(page).getByText("item 7", { exact: true }).first().waitFor();
    await canvas(page).focus();
    await page.keyboard.press("+");
    await expect.poll(hash).toContain("60.00000");
    const seen = hash();
    await page.getByLabel("Collection").selectOption("other");
    await page.getByText("other is empty").waitFor();
    await page.goBack();
    await selected(page).getByText("item 7", { exact: true }).first().waitFor();
    await colours(page).getByRole("button", { name: "0 3,334" }).waitFor();
    expect(hash()).toBe(seen);
    const before = await inView();
    expect(before).not.toBe("200 selected"); // as many as are listed
    await page.goForward();
    await page.getByText("other is empty").waitFor();
    await page.goBack();
    await expect.poll(inView).toBe(before);
    await page.reload();
    await expect.poll(inView).toBe(before);
    await page.close();
  });

  it("names regions, leads here from a result, and lays out by UMAP on request", async () => {
    const client = createClient({ url: served.url });
    await client.createCollection({ name: "notes", model: "starter-clip" });
    const add = (texts: readonly string[]) =>
      client.addItems(
        "notes",
        texts.map((text) => ({ id: text, text })),
      );
    const notes = ["dog", "sailing boat", "piano"].flatMap((thing) =>
      ["old", "new", "small", "large", "red", "dark"].map((how) => `a ${how} ${thing}`),
    );
    await add(notes);
    const { page, logged } = await served.browser.open(`${served.url}/#/search/notes`);
    await page.getByText("a dark piano").first().click();
    await page.getByRole("link", { name: "On the map" }).click();
    await selected(page).getByText("a dark piano", { exact: true }).first().waitFor();
    await page.getByRole("img", { name: /in the plane, among them .*dog/ }).waitFor();
    await page.getByLabel("Laid out by").selectOption("umap");
    await page.getByRole("button", { name: "Lay out" }).click();
    await page.getByText("18 items", { exact: true }).waitFor();
    await canvas(page).waitFor();
    await page.getByText(/^UMAP keeps neighbours together/).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await add(["a white cat"]);
    await page.reload();
    await page.getByText("18 of 19 items", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Lay out again" }).click();
    await page.getByText("19 items", { exact: true }).waitFor();
    // That it was not laid out at first, which the browser logs.
    expect(logged.filter((text) => !text.includes("404"))).toEqual([]);
    await page.close();
  });

  it("shows the pictures themselves where few are in view, and takes one by a click", async () => {
    const client = createClient({ url: served.url });
    await client.createCollection({ name: "pictures", model: "starter-clip" });
    const names = ["cat.jpg", "coffee.webp", "flower.webp", "rocket.avif", "temple.jpg"];
    const { failed } = await client.addItems(
      "pictures",
      names.map((id) => ({ id, image: Buffer.from(fixture(`images/${id}`)).toString("base64") })),
    );
    expect(failed).toBe(0);
    const { page } = await served.browser.open(`${served.url}/#/map/pictures`);
    await canvas(page).waitFor();
    // In the corner of a picture that is 64 pixels wide, far from its point.
    const takesByCorner = async () => {
      const { points, ids } = await drawnPoints(client, "pictures");
      const box = (await canvas(page).boundingBox())!;
      const [x, y] = placesOf(points, box)[ids.indexOf("cat.jpg")];
      await page.mouse.click(x + 22, y + 16);
      return selected(page).getByText("cat.jpg", { exact: true }).first().isVisible();
    };
    await expect.poll(takesByCorner, { timeout: 60_000 }).toBe(true);
    await page.close();
  });

  it("says what to do where there is nothing to show", async () => {
    const { page } = await served.browser.open(`${served.url}/#/map/nowhere`);
    await page.getByText("There is no map of this collection").waitFor();
    await createClient({ url: served.url }).createCollection({
      name: "bare",
      model: "starter-clip",
    });
    await page.goto(`${served.url}/#/map/bare`);
    await page.getByText("bare is empty").waitFor();
    await page.close();
  });
});
