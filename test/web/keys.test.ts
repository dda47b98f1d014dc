import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { createKey, keyFolder, revokeKey } from "../../src/access/key-file.js";
import { createClient } from "../../src/client/client.js";
import { seriousFindings, tap } from "../helpers/browser.js";
import { servedPage } from "../helpers/served-page.js";

const served = servedPage("test/web/keys.test.ts", ["--api-keys", "open-sesame"]);

const asked = "This server asks for a key";
const refused = "The server does not accept this key";

async function enter(page: Page, form: string, key: string): Promise<void> {
  await page.getByLabel(form).fill(key);
  await page.getByRole("button", { name: "Use key" }).click();
}

/** What a key that may only read does not allow is off, with the reason. */
async function turnsOff(key: string): Promise<void> {
  const { page } = await served.browser.open(`${served.url}/#/system`);
  await enter(page, asked, key);
  const why = (doing: string, scope: string) =>
    page
      .getByText(
        `${doing} needs a key with the scope "${scope}"; the key "reading room" has "read".`,
      )
      .first()
      .waitFor();
  const isOff = (name: string) => page.getByRole("button", { name, exact: true }).isDisabled();
  await why("Loading or unloading models", "admin");
  await why("Seeing who asks", "admin");
  expect(await isOff("Unload starter-clip")).toBe(true);
  expect(await isOff("Backup")).toBe(true);
  await page.getByRole("link", { name: "Search", exact: true }).click();
  await why("Making a collection", "write");
  expect(await isOff("Add files…")).toBe(true);
  await page.getByRole("link", { name: "Teach", exact: true }).click();
  await why("Teaching", "write");
  expect(await isOff("Teach")).toBe(true);
  expect(await seriousFindings(page)).toEqual([]);
  await page.close();
}

/** Four things as texts, and as vectors of pictures. */
async function fill() {
  const client = createClient({ url: served.url, apiKey: "open-sesame" });
  const { dimensions } = await client.createCollection({ name: "notes", model: "starter-clip" });
  const items = ["dog", "cat", "piano", "boat"].flatMap((thing, i) => [
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

/** What is used of the browser's types, which Node's do not have. */
interface Stream {
  getTracks(): unknown[];
}
interface Devices {
  getUserMedia(of: unknown): Promise<Stream>;
}

describe.skipIf(!served.found)("the page of a server with keys", () => {
  it("asks for the key once, says when it is wrong, and again when it was revoked", async () => {
    const keys = keyFolder(served.dataDir);
    const key = await createKey(keys, { name: "ada", scope: "write" });
    const { page } = await served.browser.open(
      `${served.url}/#/classify?example=cat&labels=cat|tiger|cup of coffee`,
    );
    await enter(page, asked, "guess");
    await page.getByText("It is mistyped, has expired, or was revoked.").waitFor();
    await enter(page, refused, key);
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    await page.reload();
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    await page.getByRole("button", { name: "Key…" }).click();
    await page.getByLabel("Another key").waitFor();
    await page.getByRole("button", { name: "Keep the one in use" }).click();
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    await page.getByLabel("Files").setInputFiles("fixtures/images/coffee.webp");
    await page.locator(".bars .best", { hasText: "cup of coffee" }).waitFor();
    await revokeKey(keys, key.split("_")[1]);
    await page.getByRole("button", { name: "Remove tiger" }).click();
    await enter(page, refused, "open-sesame");
    // What was chosen and written before is still there
    await page.getByText("coffee.webp", { exact: true }).first().waitFor();
    await page.locator(".bars .best", { hasText: "cup of coffee" }).waitFor();
    expect(await page.getByRole("button", { name: "Remove tiger" }).count()).toBe(0);
    await page.close();
    await turnsOff(await createKey(keys, { name: "reading room", scope: "read" }));
  });

  it("closes the microphone while the form hides its Stop button, and says so after", async () => {
    const keys = keyFolder(served.dataDir);
    const key = await createKey(keys, { name: "mic", scope: "read" });
    const { page } = await served.browser.open(`${served.url}/#/classify?labels=a beep`);
    await enter(page, asked, key);
    await page.evaluate(() => {
      const { mediaDevices } = navigator as unknown as { mediaDevices: Devices };
      const open = mediaDevices.getUserMedia.bind(mediaDevices);
      const streams: Stream[] = [];
      Object.assign(globalThis, { streams });
      mediaDevices.getUserMedia = async (of) => {
        const stream = await open(of);
        streams.push(stream);
        return stream;
      };
    });
    const tracks = () =>
      page.evaluate<string[]>("streams.flatMap((s) => s.getTracks()).map((t) => t.readyState)");
    await tap(page.getByRole("button", { name: "Hold to record" }));
    await page.getByRole("button", { name: "Stop recording" }).waitFor();
    await page.getByRole("button", { name: "Key…" }).click();
    await expect.poll(tracks).toEqual(["ended"]);
    expect(await page.getByText("The recording was dropped").count()).toBe(0);
    await page.getByRole("button", { name: "Keep the one in use" }).click();
    await page.getByText("The recording was dropped before its end.").waitFor();

    await page.getByRole("button", { name: "Live" }).click();
    await page.locator("[aria-label=Now] .bars .best").waitFor();
    await revokeKey(keys, key.split("_")[1]);
    await page.getByLabel(refused).waitFor();
    await expect.poll(tracks).toEqual(["ended", "ended"]);
    await enter(page, refused, "open-sesame");
    await page.getByText("The microphone was closed when the page asked for a key.").waitFor();
    await page.getByText("Heard live").waitFor();
    await page.close();
  });

  it("asks for another in every view when one is revoked, and goes on where it was", async () => {
    await fill();
    const keys = keyFolder(served.dataDir);
    const key = await createKey(keys, { name: "eve", scope: "admin" });
    const open = async (hash: string) => {
      const { page } = await served.browser.open(`${served.url}/#/${hash}`);
      await enter(page, asked, key);
      return page;
    };
    const search = await open("search/notes?q=a+dog");
    await search.getByText("starter-clip reads the text").waitFor();
    await search.getByLabel("Select a boat").check();
    const bar = search.getByRole("toolbar", { name: "Selected items" });
    await bar.getByRole("button", { name: "Tag…" }).click();
    await bar.getByLabel("Tag").fill("swims");
    const map = await open("map/notes?item=a+cat");
    await map.getByText("8 items ·").waitFor();
    await map.getByRole("button", { name: "Zoom in" }).click();
    await map.waitForURL(/at=/);
    const place = new URL(map.url()).hash;
    const teach = await open("teach");
    await teach.getByLabel("Name of the class").first().fill("alpha");
    await teach.getByLabel("Examples of alpha").setInputFiles("fixtures/images/cat.jpg");
    await teach.locator(".examples-of-class li:not(.pending)").waitFor();
    await teach.getByLabel("Name", { exact: true }).fill("animals");
    const gap = await open("gap/notes?pairs=pair");
    await gap.getByText("4 pairs").waitFor();
    const system = await open("system");
    await system.getByRole("link", { name: "notes" }).waitFor();

    await revokeKey(keys, key.split("_")[1]);
    await search.getByLabel("Files to add").setInputFiles("fixtures/images/temple.jpg");
    await map.getByLabel("Near to a text").fill("a cat");
    await map.keyboard.press("Enter");
    await teach.getByLabel("Examples of alpha").setInputFiles("fixtures/images/rocket.avif");
    await gap.getByLabel("Field that pairs share").fill("");
    await gap.keyboard.press("Enter");
    const pages = [search, map, teach, gap, system];
    for (const page of pages) await page.getByLabel(refused).waitFor();
    await enter(system, refused, "guess");
    await system.getByText("It is mistyped, has expired, or was revoked.").waitFor();

    for (const page of pages) await enter(page, refused, "open-sesame");
    await search.getByText("1 stored").waitFor();
    expect(await bar.getByLabel("Tag").inputValue()).toBe("swims");
    await search.getByText("1 selected").waitFor();
    await map.getByText("The stronger a point, the nearer to “a cat”").waitFor();
    await map.getByRole("button", { name: "Its neighbours" }).waitFor();
    expect(new URL(map.url()).hash).toBe(`${place}&near=a+cat`);
    await teach.locator(".examples-of-class li:not(.pending):not(.failed)").nth(1).waitFor();
    expect(await teach.getByLabel("Name", { exact: true }).inputValue()).toBe("animals");
    await gap.getByText("4 texts").waitFor();
    await system.getByRole("link", { name: "notes" }).waitFor();
    await Promise.all(pages.map((page) => page.close()));
  });
});
