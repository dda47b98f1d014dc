import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import { seededRandom } from "../../src/math/random.js";
import { wavOf } from "../../web/src/sound/wav.js";
import { fitsWidth, seriousFindings, tap } from "../helpers/browser.js";
import { servedPage } from "../helpers/served-page.js";

const served = servedPage("test/web/teach.test.ts");

const rate = 16_000;
/** A second of a sound, as a file to choose. */
async function sound(name: string, sampleAt: (seconds: number) => number) {
  const samples = Float32Array.from({ length: rate }, (_, i) => sampleAt(i / rate));
  const buffer = Buffer.from(await wavOf(samples, rate).arrayBuffer());
  return { name, mimeType: "audio/wav", buffer };
}
const tone = (hz: number) => sound(`tone ${hz}.wav`, (t) => 0.5 * Math.sin(2 * Math.PI * hz * t));
/** Noise without a source of chance: the fractions of a fast-growing function. */
const noise = (seed: number) =>
  sound(`noise ${seed}.wav`, (t) => {
    const x = Math.sin((t * rate + 1) * 12.9898 + seed) * 43_758.5453;
    return 0.6 * (x - Math.floor(x)) - 0.3;
  });

/** Two kinds of pictures, one of them with a wrong label, and three without any. */
async function fillLabelled() {
  const client = createClient({ url: served.url });
  const { space, dimensions } = await client.createCollection({
    name: "labelled",
    model: "starter-clip",
  });
  const random = seededRandom(3);
  const items = Array.from({ length: 33 }, (_, i) => {
    const embedding = Array.from({ length: dimensions }, () => 0.1 * random.normal());
    embedding[i % 2] += 2;
    const length = Math.hypot(...embedding);
    return {
      id: `item ${i}`,
      modality: "image" as const,
      space,
      embedding: embedding.map((x) => x / length),
      metadata: i >= 30 ? {} : { about: { kind: (i % 2 === 0) !== (i === 7) ? "even" : "odd" } },
    };
  });
  const { failed } = await client.addItems("labelled", items);
  expect(failed).toBe(0);
}

/** Asks the browser's store of examples, in the words of `IDBObjectStore`. */
const inStore = (page: Page, request: string) =>
  page.evaluate<number>(`new Promise((resolve) => {
    const opening = indexedDB.open("crossmodal-teach", 1);
    opening.onsuccess = () => {
      const examples = opening.result.transaction("examples", "readwrite").objectStore("examples");
      const asking = examples.${request};
      asking.onsuccess = () => resolve(asking.result);
    };
  })`);

/** The number of entries that the browser keeps: the classes, and the file of each example. */
const keptIn = (page: Page) => inStore(page, "count()");

describe.skipIf(!served.found)("the page's Teach view", () => {
  it("teaches two classes from four sounds each, says how well, and is tried at once", async () => {
    const { page, logged } = await served.browser.open(`${served.url}/#/teach`);
    await page.getByText("Give examples to at least two classes.").waitFor();
    await page.getByLabel("Name of the class").first().fill("alpha");
    await page
      .getByLabel("Examples of alpha")
      .setInputFiles(await Promise.all([300, 410, 520, 700].map(tone)));
    await page.getByText("Give examples to at least two classes.").waitFor();
    await page.getByLabel("Name of the class").last().fill("bravo");
    await page
      .getByLabel("Examples of bravo")
      .setInputFiles([
        ...(await Promise.all([1, 2, 3].map(noise))),
        { name: "broken.wav", mimeType: "audio/wav", buffer: Buffer.from("not a sound") },
        { name: "picture.png", mimeType: "image/png", buffer: Buffer.from("left out") },
      ]);
    await page.getByText("taught by sounds: picture.png").waitFor();
    await page.locator(".examples-of-class .bad").waitFor();
    await page.getByText("7 examples for starter-clap.").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("noises");
    await page.getByRole("button", { name: "Teach", exact: true }).click();
    await page.getByText("noises, version 1").waitFor();
    await page.getByText("7 of 7").last().waitFor();
    await page.getByRole("button", { name: "3 of bravo taken for bravo" }).click();
    expect(await page.locator(".lesson .examples-of-class li").count()).toBe(3);
    await page.getByLabel("File to try").setInputFiles([await noise(9)]);
    await page.locator(".bars .best", { hasText: "bravo" }).waitFor();
    await page.getByRole("button", { name: "Play noise 9.wav" }).waitFor();
    expect(await fitsWidth(page)).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);

    const before = page.getByRole("region", { name: "Taught before" });
    await before.getByText("in use", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Teach", exact: true }).click();
    await page.getByText("noises, version 2").waitFor();
    const second = before.getByRole("listitem", { name: "noises, version 2" });
    const first = before.getByRole("listitem", { name: "noises, version 1" });
    await second.getByRole("button", { name: "Stop using" }).click();
    await page.getByText("No version of noises is in use now").waitFor();
    await second.getByRole("button", { name: "Use", exact: true }).click();
    await page.getByText("noises, version 2, is in use now").waitFor();

    // An earlier version is tried on what the microphone hears, and a later one deleted
    await first.getByRole("button", { name: "Try" }).click();
    await first.getByRole("button", { name: "Live" }).click();
    await first.locator(".bars .best").waitFor();
    await first.getByRole("button", { name: "Stop", exact: true }).click();
    await first.getByRole("button", { name: "Use", exact: true }).click();
    await first.getByText("in use").waitFor();
    await second.getByRole("button", { name: "Delete…" }).click();
    await second.getByRole("button", { name: "Keep" }).click();
    await second.getByRole("button", { name: "Delete…" }).click();
    await second.getByRole("button", { name: "Delete", exact: true }).click();
    await second.waitFor({ state: "detached" });
    expect(await page.getByText("noises, version 2 taught").count()).toBe(0); // Nor its report

    // What is removed comes back
    await page.getByRole("button", { name: "Remove tone 300.wav" }).click();
    await page.getByRole("button", { name: "Remove bravo" }).click();
    await page.getByText("Give examples to at least two classes.").waitFor();
    for (const name of ["bravo", "tone 300.wav"])
      await page
        .locator(".toast", { hasText: `${name} is removed` })
        .getByRole("button", { name: "Undo" })
        .click();
    await page.getByText("7 examples for starter-clap.").waitFor();

    // A reload loses none of them, nor what is corrected after it; another tab has its own
    await expect.poll(() => keptIn(page)).toBe(1 + 8);
    await page.reload();
    await page.getByText("7 examples for starter-clap.").waitFor();
    expect(await page.getByLabel("Name of the class").first().inputValue()).toBe("alpha");
    await page.getByRole("button", { name: "Remove tone 300.wav" }).click();
    await expect.poll(() => keptIn(page)).toBe(1 + 7);
    await page.reload();
    await page.getByText("6 examples for starter-clap.").waitFor();
    expect(await page.getByRole("button", { name: "Remove tone 300.wav" }).count()).toBe(0);
    const { page: other } = await served.browser.open(`${served.url}/#/teach`);
    await other.getByText("Give examples to at least two classes.").waitFor();

    // What is open is never old, and what is forgotten nevertheless is kept again
    const tab = `sessionStorage.getItem("crossmodal-tab")`;
    await inStore(page, `put({ at: 0, kind: "audio", classes: [] }, ${tab})`);
    await inStore(page, `put(new Blob(["of no tab"]), "lost/1")`);
    await other.reload();
    await expect.poll(() => inStore(page, `count("lost/1")`)).toBe(0);
    expect(await keptIn(page)).toBe(1 + 7);
    await other.close();
    await inStore(page, "clear()");
    await page.evaluate(`document.dispatchEvent(new Event("visibilitychange"))`);
    await expect.poll(() => keptIn(page)).toBe(1 + 7);

    // A duplicated tab begins with the same, and leaves those of the other alone
    const duplicating = served.browser.context.waitForEvent("page");
    await page.evaluate("void open(location.href)");
    const twin = await duplicating;
    await twin.getByText("6 examples for starter-clap.").waitFor();
    await twin.getByRole("button", { name: "Remove tone 410.wav" }).click();
    await expect.poll(() => keptIn(page)).toBe(1 + 7 + 1 + 6);
    await twin.close();

    // Nothing can be given before what was kept is there
    await page.addInitScript(`{
      const { request } = LockManager.prototype;
      const going = new Promise((resolve) => { globalThis.go = resolve; });
      LockManager.prototype.request = async function (...all) {
        await going;
        return request.apply(this, all);
      };
    }`);
    await page.reload();
    await page.getByText("Looking for the examples of before…").waitFor();
    expect(await page.getByLabel("Name of the class").count()).toBe(0);
    await page.evaluate("go()");
    await page.getByText("6 examples for starter-clap.").waitFor();
    expect(await page.getByRole("button", { name: "Remove tone 410.wav" }).count()).toBe(1);
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await fitsWidth(page)).toBe(true);
    expect(logged.filter((line) => !line.includes("status of 4"))).toEqual([]);
    await page.close();
  });

  it("teaches classes of texts, typed, pasted and in files, and is tried on one", async () => {
    const { page, logged } = await served.browser.open(`${served.url}/#/teach`);
    const names = page.getByLabel("Name of the class");
    await names.first().fill("animals");
    const ofAnimals = page.getByLabel("Texts for animals");
    await ofAnimals.fill("a dog\na cat\n\na cat\na horse");
    await ofAnimals.press("Enter");
    await page.getByText(/^Already an example: /).waitFor();
    await names.last().fill("drinks");
    await page.getByLabel("Examples of drinks").setInputFiles(
      ["a glass of wine", "a cup of coffee"].map((text) => ({
        name: `${text}.txt`,
        mimeType: "text/plain",
        buffer: Buffer.from(text),
      })),
    );
    await page.getByLabel("Texts for drinks").fill("<b>a beer</b>");
    await page.getByLabel("Texts for drinks").press("Enter");
    await page.getByText("6 examples for starter-clip.").waitFor();
    await page.getByText("<b>a beer</b>").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("things");
    await page.getByRole("button", { name: "Teach", exact: true }).click();
    await page.getByText("things, version 1").waitFor();
    await page.getByLabel("Text to try").fill("a dog and a cat");
    await page.getByLabel("Text to try").press("Enter");
    await page.locator(".bars .best", { hasText: "animals" }).waitFor();
    expect(await page.getByText("things, version 1").count()).toBe(1);
    expect(await seriousFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await fitsWidth(page)).toBe(true);
    expect(logged).toEqual([]);
    await page.close();
  });

  it("teaches the labels of a collection: suspects, confusion, what to label next", async () => {
    await fillLabelled();
    const { page, logged } = await served.browser.open(`${served.url}/#/teach/labelled`);
    await page.getByLabel("Field of the labels").selectOption("about.kind");
    await page.getByText("30 labelled items: even 16, odd 14").waitFor();
    const wrong = page.getByRole("region", { name: "Labels that may be wrong" });
    await wrong.getByText("called even, but the others say odd").waitFor();
    await wrong.getByLabel("leave it out").check();
    await page.getByText("29 examples for starter-clip.").waitFor();
    await page.getByRole("link", { name: "From examples of yours" }).click();
    await page.getByText("Give examples to at least two classes.").waitFor();
    await page.goBack();
    await page.getByText("29 examples for starter-clip.").waitFor();
    await page.goForward();
    await page.getByText("Give examples to at least two classes.").waitFor();
    await page.goBack();
    await page.getByText("29 examples for starter-clip.").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("kinds");
    await page.getByRole("button", { name: "Teach", exact: true }).click();
    await page.getByText("kinds, version 1").waitFor();
    await page.getByRole("button", { name: "15 of even taken for even" }).click();
    expect(await page.locator(".lesson .examples-of-class li").count()).toBe(15);
    const next = page.getByRole("region", { name: "What to label next" });
    await next.getByRole("button", { name: "Yes" }).first().click();
    await page.getByText("31 labelled items").waitFor();
    await wrong.getByLabel("Label of item 7").selectOption("odd");
    await page.getByText("item 7 is odd now").waitFor();
    const { metadata } = await createClient({ url: served.url }).getItem("labelled", "item 7");
    expect(metadata).toEqual({ about: { kind: "odd" } });
    await page.getByText("Or teach the search").click();
    await page.getByRole("button", { name: "Train labelled-search" }).click();
    await page.getByRole("img", { name: "Loss by round" }).waitFor();
    await page.getByText("labelled-search, version 1").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await fitsWidth(page)).toBe(true);
    // Vectors of one's own have no previews, which the browser logs.
    expect(logged.filter((line) => !line.includes("status of 4"))).toEqual([]);
    await page.close();
  });

  it("hears examples, class by class, and says when it may not", async () => {
    const { page, logged } = await served.browser.open(`${served.url}/#/teach`);
    await page.getByLabel("Name of the class").first().fill("alpha");
    await page.getByLabel("Name of the class").last().fill("bravo");
    const [alpha, bravo] = ["alpha", "bravo"].map((name) =>
      page.getByRole("region", { name: `Class ${name}` }),
    );
    const record = alpha.getByRole("button", { name: "Hold to record" });
    await page.evaluate(() => {
      const { mediaDevices } = navigator;
      const open = mediaDevices.getUserMedia;
      mediaDevices.getUserMedia = () => {
        mediaDevices.getUserMedia = open;
        return Promise.reject(new DOMException("", "NotAllowedError"));
      };
    });
    await tap(record);
    await page.getByText("The page may not use the microphone; allow it").waitFor();
    await record.hover();
    await page.mouse.down();
    await alpha.getByRole("button", { name: "Recording…" }).waitFor();
    await new Promise((resolve) => setTimeout(resolve, 700)); // what is recorded takes its time
    await page.mouse.up();
    await alpha.getByText("1 example", { exact: true }).waitFor();
    // One press lasts until the next, of whichever class
    await tap(bravo.getByRole("button", { name: "Hold to record" }));
    await bravo.getByRole("button", { name: "Stop recording" }).waitFor();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await tap(record);
    await bravo.getByText("1 example", { exact: true }).waitFor();
    await alpha.getByRole("button", { name: "Stop recording" }).waitFor();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await tap(alpha.getByRole("button", { name: "Stop recording" }));
    await page.getByText("3 examples for starter-clap.").waitFor();
    await page.getByRole("button", { name: "+ Another class" }).click();
    const third = page.getByRole("region", { name: "Class this class" });
    await tap(third.getByRole("button", { name: "Hold to record" }));
    await third.getByRole("button", { name: "Stop recording" }).waitFor();
    await third.getByRole("button", { name: "Remove this class" }).click();
    await page.getByText("The recording was dropped before its end.").waitFor();
    await tap(record);
    await alpha.getByRole("button", { name: "Stop recording" }).waitFor();
    expect(logged).toEqual([]);
    await page.close();
  });

  it("loses nothing when two windows teach, label and delete the same", async () => {
    const client = createClient({ url: served.url });
    const open = async () => {
      const { page } = await served.browser.open(`${served.url}/#/teach/labelled?by=about.kind`);
      await page.getByText("31 examples for starter-clip.").waitFor();
      await page.getByLabel("Name", { exact: true }).fill("both");
      return page;
    };
    const [first, second] = [await open(), await open()];
    const taughtByFirst = first.getByText("both, version 1").first().waitFor();
    await second.route("**/v1/heads", async (route) => {
      if (route.request().method() === "POST") await taughtByFirst;
      await route.continue();
    });
    const asking = second.waitForRequest(
      (request) => request.url().endsWith("/v1/heads") && request.method() === "POST",
    );
    await second.getByRole("button", { name: "Teach", exact: true }).click();
    await asking;
    await first.getByRole("button", { name: "Teach", exact: true }).click();
    await second.getByText("both, version 2").first().waitFor();
    await second.getByText("Another window taught both meanwhile: version 1").waitFor();
    const lookAgain = (page: Page) => page.evaluate(() => dispatchEvent(new Event("focus")));
    await lookAgain(first);
    await first.getByText("Version 2 is the one in use now.").waitFor();
    await client.rollbackHead("both");
    await lookAgain(second);
    await second.getByText("Version 1 is the one in use now.").waitFor();
    await client.deleteHeadVersion("both", 2);
    await lookAgain(second);
    await second.getByText("This version has been deleted; teach again").waitFor();

    const next = (page: Page) => page.getByRole("region", { name: "What to label next" });
    const label = next(first).getByRole("combobox").first();
    const name = (await label.getAttribute("aria-label"))!;
    const id = name.replace("Label of ", "");
    await next(second).getByLabel(name).selectOption("odd");
    await second.getByText(`${id} is odd now`).waitFor();
    await next(first).getByLabel(name).selectOption("even");
    await first.getByText(`${id} was called odd in another window meanwhile`).waitFor();
    expect((await client.getItem("labelled", id)).metadata).toEqual({ about: { kind: "odd" } });
    expect(await next(first).getByLabel(name).inputValue()).toBe("odd");
    await next(first).getByLabel(name).selectOption("even");
    await first.getByText(`${id} is even now`).waitFor();
    await client.deleteItem("labelled", id);
    await next(second).getByLabel(name).selectOption("even");
    await second.getByText("it may have been deleted in another window").waitFor();
    await next(second).getByLabel(name).waitFor({ state: "detached" });
    await Promise.all([first.close(), second.close()]);
  });
});
