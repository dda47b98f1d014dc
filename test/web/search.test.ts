import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { fitsWidth, seriousFindings } from "../helpers/browser.js";
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

describe.skipIf(!served.found)("the page's Search view", () => {
  it("says what to do first, makes a collection, fills it, and names what failed", async () => {
    const { page, requests } = await served.browser.open(`${served.url}/#/search`);
    await page.getByText("No collections yet").waitFor();
    await page.getByRole("button", { name: "Try it with 32 photographs" }).click();
    await page.getByText("32 stored").waitFor();
    await page.getByRole("button", { name: "something to drink" }).click();
    await expect.poll(async () => (await shown(page))[0]).toBe("cup-and-saucer.jpg");
    await page.getByRole("button", { name: "the sound of a dog barking" }).click();
    await expect.poll(async () => (await shown(page)).slice(0, 2)).toEqual(["dog.jpg", "dogs.jpg"]);
    await page.getByRole("button", { name: "Delete this collection" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("No collections yet").waitFor();
    await page.getByLabel("Name").fill("pictures");
    await page.getByRole("button", { name: "Make it" }).click();
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
    await page.keyboard.press("s");
    await page.getByText("like coffee.webp").waitFor();
    await expect.poll(() => shown(page)).not.toContain("coffee.webp");
    await page.goBack();
    await expect.poll(async () => (await shown(page))[0]).toBe("coffee.webp");
    await page.reload();
    await expect.poll(async () => (await shown(page))[0]).toBe("coffee.webp");
    expect(logged).toEqual([]);
    await page.close();
  });

  it("finds by a picture, and by a sound over the bridge", async () => {
    const { page } = await served.browser.open(`${served.url}/#/search/pictures`);
    await page.getByLabel("Search by a file").setInputFiles([upload("images/cat.jpg", "mine.jpg")]);
    await expect.poll(async () => (await shown(page))[0]).toBe("cat.jpg");
    await page.getByLabel("Search by a file").setInputFiles([upload("audio/dog.mp3")]);
    await page.getByText("starter-clap hears the sound, over the bridge").waitFor();
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
    expect(csv).toContain("id,modality,cosine,source,text,tags");
    expect(csv).toContain('cat.jpg,image,,,,"[""alive""]"');
    await page.locator(".toast", { hasText: "Tagged" }).getByRole("button").click();
    await expect.poll(() => page.locator(".details .tags", { hasText: "alive" }).count()).toBe(0);
    await bar.getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => shown(page)).toHaveLength(3);
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
