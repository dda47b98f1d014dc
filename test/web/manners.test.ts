import { mkdirSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import { fitsWidth, seriousFindings } from "../helpers/browser.js";
import { servedPage } from "../helpers/served-page.js";

const served = servedPage("test/web/manners.test.ts");

/** The first bytes of a file, and then nothing but zeros, which take no room on the disk. */
function sparseFile(name: string, start: Buffer, bytes: number): string {
  const path = join(mkdtempSync(join(tmpdir(), "crossmodal-page-")), name);
  writeFileSync(path, start);
  truncateSync(path, bytes);
  return path;
}

/** Silence in mono. */
function longWav(name: string, seconds: number, rate: number, bits: 8 | 16): string {
  const bytes = (seconds * rate * bits) / 8;
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + bytes, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE((rate * bits) / 8, 28);
  header.writeUInt16LE(bits / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write("data", 36);
  header.writeUInt32LE(bytes, 40);
  return sparseFile(name, header, 44 + bytes);
}

/** A folder as people have them. */
function junkFolder(): string {
  const folder = join(mkdtempSync(join(tmpdir(), "crossmodal-page-")), "holiday");
  mkdirSync(join(folder, "deep", "er"), { recursive: true });
  mkdirSync(join(folder, "empty"));
  const files = {
    "cat.jpg": readFileSync("fixtures/images/cat.jpg"),
    "deep/er/rocket.avif": readFileSync("fixtures/images/rocket.avif"),
    "deep/broken.jpg": Buffer.from("not a picture"),
    "deep/._cat.jpg": Buffer.from("\0\x05\x16\x07 what a Mac leaves beside it"),
    "empty.png": Buffer.alloc(0),
    "Thumbs.db": Buffer.from("junk"),
    ".DS_Store": Buffer.from("junk"),
    "clip.mp4": Buffer.from("junk"),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

/** Drops files or folders from the desktop in the middle of an element. */
async function drop(page: Page, selector: string, paths: string[]) {
  const { x, y, width, height } = (await page.locator(selector).first().boundingBox())!;
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", {
      type,
      x: x + width / 2,
      y: y + height / 2,
      data,
    });
  await session.detach();
}

const open = async (hash: string) => (await served.browser.open(`${served.url}/#/${hash}`)).page;

describe.skipIf(!served.found)("the page, as people break it", () => {
  it("says what is too large of a video of 200 MB and of hours of sound, and by which option", async () => {
    const webm = Buffer.from("1a45dfa3a3428281014282847765626d", "hex");
    const files = [
      sparseFile("video.webm", webm, 200e6),
      longWav("night.wav", 4 * 3600, 8000, 16),
      longWav("day.wav", 5 * 3600, 1000, 8),
    ];
    const classify = await open("classify?labels=rain|speech");
    const video = sparseFile("video.mp4", Buffer.from("mp4"), 200e6);
    await classify.getByLabel("Files").setInputFiles([...files, video]);
    await classify.getByText("video.mp4. Of a video, save the sound").waitFor();
    const row = (name: string) => classify.locator("tbody tr", { hasText: name });
    for (const name of ["video.webm", "night.wav"])
      await row(name).getByText("larger than 67.1 MB (option maxBodyBytes)").waitFor();
    await row("day.wav").getByText("longer than 14400 seconds (option maxAudio").waitFor();
    await row("night.wav").getByRole("button").click();
    await classify.getByText("drawn for sounds of up to 10 minutes").waitFor();
    await classify.getByText("4:00:00").waitFor();
    await classify.close();

    const client = createClient({ url: served.url });
    await client.createCollection({ name: "sounds", model: "starter-clap" });
    const search = await open("search/sounds");
    await search.getByLabel("Files to add").setInputFiles([...files, "fixtures/audio/burp.wav"]);
    await search.getByText("1 stored · 3 failed").waitFor();
    await search.getByText("3 could not be added").click();
    const failed = (name: string) => search.locator(".upload li", { hasText: name });
    for (const name of ["video.webm", "night.wav"])
      await failed(name).getByText("67.1 MB (option maxBodyBytes). Make the file").waitFor();
    await failed("day.wav").getByText("longer than 14400 seconds (option maxAudio").waitFor();
    await search.getByLabel("Search by a file").setInputFiles(files[2]);
    await search.locator(".notice", { hasText: "longer than 14400 seconds" }).waitFor();
    await search.getByLabel("Search by a file").setInputFiles(files[1]);
    await search.locator(".notice", { hasText: "67.1 MB (option maxBodyBytes)" }).waitFor();
    await search.getByLabel("Search by a file").setInputFiles([video]);
    await search.getByText("video.mp4. Of a video, save the sound").waitFor();
    await search.close();

    const teach = await open("teach");
    await teach.getByLabel("Name of the class").first().fill("alpha");
    await teach.getByLabel("Examples of alpha").setInputFiles(files);
    const examples = teach.locator(".examples-of-class li");
    await expect.poll(() => examples.filter({ hasText: "maxBodyBytes" }).count()).toBe(2);
    await examples.filter({ hasText: "longer than 14400 seconds" }).waitFor();
    await teach.close();
  });

  it("takes what can be used from a junk folder, and names the rest", async () => {
    const folder = junkFolder();
    const client = createClient({ url: served.url });
    await client.createCollection({ name: "junk", model: "starter-clip" });
    const search = await open("search/junk");
    await search.getByText("junk is empty").waitFor();
    await drop(search, ".found", [folder]);
    await search.getByText("2 stored · 3 failed · 3 left out").waitFor();
    await search.getByText("3 could not be added").click();
    for (const name of ["holiday/deep/broken.jpg", "holiday/deep/._cat.jpg", "holiday/empty.png"])
      await search.locator(".upload li", { hasText: name }).waitFor();
    await search.close();

    const classify = await open("classify?labels=cat|space rocket");
    await classify.getByText("What is it?").waitFor();
    await drop(classify, ".empty", [folder]);
    await classify.getByText("Skipped, empty: empty.png").waitFor();
    const row = (name: string) => classify.locator("tbody tr", { hasText: name });
    await row("rocket.avif").getByText("space rocket").waitFor();
    await row("broken.jpg").locator(".bad").waitFor();
    await classify.close();

    const teach = await open("teach");
    await teach.getByText("Give examples to at least two classes.").waitFor();
    await drop(teach, ".class-card", [folder]);
    await teach.getByText("4 examples").waitFor();
    await teach.close();
  });

  it("loses nothing when two windows tag, delete and save the same at once", async () => {
    const client = createClient({ url: served.url });
    await client.createCollection({ name: "shared", model: "starter-clip" });
    const texts = ["a dog", "a cat", "a boat"];
    await client.addItems(
      "shared",
      texts.map((text) => ({ id: text, text })),
    );
    const [first, second] = [await open("search/shared"), await open("search/shared")];
    const tag = async (page: Page, id: string, name: string) => {
      await page.getByLabel(`Select ${id}`).check();
      const bar = page.getByRole("toolbar", { name: "Selected items" });
      await bar.getByRole("button", { name: "Tag…" }).click();
      await bar.getByLabel("Tag").fill(name);
      await page.keyboard.press("Enter");
    };
    const tagsOf = async (id: string) => (await client.getItem("shared", id)).metadata.tags;
    for (const page of [first, second]) await page.getByText("a boat").first().waitFor();
    await tag(first, "a dog", "one");
    await first.getByText("Tagged a dog with one").waitFor();
    await tag(second, "a dog", "two");
    await second.getByText("Tagged a dog with two").waitFor();
    expect(await tagsOf("a dog")).toEqual(["one", "two"]);
    await first.locator(".toast", { hasText: "Tagged" }).getByRole("button").click();
    await expect.poll(() => tagsOf("a dog")).toEqual(["two"]);
    await client.deleteItem("shared", "a cat");
    await second.getByLabel("Select a dog").uncheck();
    await tag(second, "a cat", "three");
    await second.getByText("a cat cannot be tagged: deleted in another window").waitFor();
    await Promise.all([first.close(), second.close()]);
  });

  it("offers what another window has saved, and keeps labels whose set it deleted", async () => {
    const client = createClient({ url: served.url });
    await client.putLabelSet("pets", { labels: ["cat", "dog"] });
    const page = await open("classify?example=cat&set=pets");
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    await page.getByRole("button", { name: "Remove dog" }).click();
    await client.putLabelSet("pets", { labels: ["cat", "dog", "hen"] });
    await page.getByRole("button", { name: "Update pets" }).click();
    await page.getByText("Not saved: pets was changed in another window (version 2").waitFor();
    expect((await client.getLabelSet("pets")).labels).toHaveLength(3);
    await page.getByRole("button", { name: "Replace it" }).click();
    await page.getByText("pets is saved, version 3").waitFor();
    await client.putLabelSet("pets", { labels: ["cat", "horse"] });
    await page.getByLabel("Files").setInputFiles("fixtures/images/coffee.webp");
    await page.getByText("pets was changed in another window; this is version 4").waitFor();
    await page.locator(".bars .label", { hasText: "horse" }).waitFor();
    await client.deleteLabelSet("pets");
    await page.getByLabel("Files").setInputFiles("fixtures/images/flower.webp");
    await page.getByText("pets was deleted in another window; its labels").waitFor();
    await page.getByRole("button", { name: "Save set…" }).waitFor();
    await page.close();
  });

  it("says in Map, Teach, Gap and System that another window has deleted the collection", async () => {
    const client = createClient({ url: served.url });
    const { dimensions } = await client.createCollection({ name: "pairs", model: "starter-clip" });
    await client.addItems(
      "pairs",
      Array.from({ length: 16 }, (_, i) => ({
        id: `item ${i}`,
        modality: i % 2 === 0 ? ("image" as const) : ("text" as const),
        embedding: Array.from({ length: dimensions }, (_, d) => (d === i ? 1 : 0)),
        metadata: { pair: i >> 1, kind: i % 4 < 2 ? "even" : "odd" },
      })),
    );
    const map = await open("map/pairs?item=item+2");
    await map.getByRole("button", { name: "Its neighbours" }).waitFor();
    const gap = await open("gap/pairs?pairs=pair");
    await gap.getByText("8 pairs").waitFor();
    const teach = await open("teach/pairs?by=kind");
    await teach.getByText("8 labelled items").waitFor();
    const system = await open("system");
    await system.getByRole("link", { name: "pairs" }).waitFor();
    await client.deleteCollection("pairs");
    const gone = (page: Page) =>
      page.getByText('There is no collection "pairs": it may have been deleted in another window');
    await map.getByRole("button", { name: "Its neighbours" }).click();
    await gone(map).waitFor();
    await map.getByLabel("Laid out by").selectOption("umap");
    await map.getByText("There is no map of this collection").waitFor();
    await gap.getByLabel("Field that pairs share").fill("");
    await gap.keyboard.press("Enter");
    await gone(gap).waitFor();
    await teach.getByText("Or teach the search").click();
    await teach.getByRole("button", { name: "Train pairs-search" }).click();
    await gone(teach).waitFor();
    await teach.reload();
    await teach.getByText("There is no collection pairs").waitFor();
    await system.getByRole("link", { name: "pairs" }).waitFor({ state: "detached" });
    await Promise.all([map, gap, teach, system].map((page) => page.close()));
  });

  it.each(["teach", "gap", "system"])(
    "fits 360 px in the dark in %s, and axe finds nothing serious",
    async (view) => {
      const page = await open(view);
      await page.setViewportSize({ width: 360, height: 900 });
      await page.emulateMedia({ colorScheme: "dark" });
      await page.locator("main:not([aria-busy])").waitFor();
      await page.getByText("ready", { exact: true }).waitFor({ state: "attached" });
      expect(await fitsWidth(page)).toBe(true);
      expect(await seriousFindings(page)).toEqual([]);
      await page.close();
    },
  );
});
