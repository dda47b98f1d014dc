import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import { fitsWidth, seriousFindings, tap } from "../helpers/browser.js";
import { servedPage } from "../helpers/served-page.js";

const served = servedPage("test/web/classify.test.ts");

describe.skipIf(!served.found)("the page's Classify view", () => {
  const examples = {
    "a farm in the rain": "rain",
    "dog.mp3": "dog barking",
    "thunder.opus": "thunder",
    "cat.jpg": "cat",
    "rocket.avif": "space rocket",
    "temple.jpg": "palace",
  };

  it("understands each example at one click, asks nobody else and logs nothing", async () => {
    const { page, requests, logged } = await served.browser.open(served.url);
    for (const [title, label] of Object.entries(examples)) {
      await page.getByRole("button", { name: title }).click();
      await page.locator(".bars .best", { hasText: label }).waitFor();
    }
    expect(
      requests.filter((url) => !/^(blob|data):/.test(url) && !url.startsWith(served.url)),
    ).toEqual([]);
    expect(logged).toEqual([]);
    await page.close();
  });

  it("shows the scores of a moment, and copies a command that gives the same", async () => {
    const { page } = await served.browser.open(`${served.url}/#/classify?example=scene`);
    await page.locator(".bars .best", { hasText: "rain" }).waitFor();
    const moment = page.getByRole("slider", { name: "Moment" });
    const box = (await moment.boundingBox())!;
    await page.mouse.click(box.x + 0.05 * box.width, box.y + 20);
    await page.locator(".bars .best", { hasText: "cow" }).waitFor();
    await page.getByRole("button", { name: "Whole sound" }).click();
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied").waitFor();
    const command = await page.evaluate<string>("navigator.clipboard.readText()");
    const { stdout } = await promisify(execFile)("bash", ["-c", command]);
    const { scores } = JSON.parse(stdout) as { scores: { label: string; score: number }[] };
    const shown = await page.locator(".bars li").allTextContents();
    expect(shown).toEqual(scores.map(({ label, score }) => `${label}${score.toFixed(3)}`));
    await page.close();
  });

  it("gives files of one's own words to begin with, until labels are written", async () => {
    const { page } = await served.browser.open(`${served.url}/#/classify?example=cat`);
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    const labels = () => page.locator(".bars .label").allTextContents();
    const take = (path: string) => page.getByLabel("Files").setInputFiles(`fixtures/${path}`);
    await take("images/coffee.webp");
    await page.locator(".bars .best", { hasText: "cup of coffee" }).waitFor();
    await page.getByText("Everyday words to begin with").waitFor();
    expect(await labels()).toHaveLength(6);
    expect(page.url()).not.toContain("labels=");
    await take("audio/dog.mp3");
    await page.locator(".bars .best", { hasText: "a dog barking" }).waitFor();
    await page.getByLabel("Add a label").fill("a seal");
    await page.keyboard.press("Enter");
    await page.locator(".bars .label", { hasText: "a seal" }).waitFor();
    expect(await page.getByText("Everyday words to begin with").count()).toBe(0);
    await take("audio/rain.ogg");
    await page.getByText("rain.ogg", { exact: true }).first().waitFor();
    await page.locator(".bars .label", { hasText: "a seal" }).waitFor();
    await page.close();
  });

  it("is answered by what was taught, over time too, and says so in the address", async () => {
    const client = createClient({ url: served.url });
    const sounds = {
      farm: ["cow.ogg", "sheep.flac", "pig.mp3"],
      weather: ["rain.ogg", "wind.ogg", "waves.mp3"],
    };
    const named = Object.entries(sounds).flatMap(([label, names]) =>
      names.map((name) => ({ label, bytes: readFileSync(`fixtures/audio/${name}`) })),
    );
    const embeddings = await Promise.all(
      named.map(async ({ bytes }) => {
        const input = {
          input: new Blob([bytes]),
          modality: "audio",
          model: "starter-clap",
        } as const;
        return (await client.embeddings(input)).data[0].embedding as number[];
      }),
    );
    const { job } = await client.trainHead({
      kind: "probe",
      name: "outside",
      model: "starter-clap",
      items: { embeddings, modality: "audio" },
      labels: named.map(({ label }) => label),
    });
    for await (const { error } of client.jobEvents(job.id)) expect(error).toBeUndefined();
    const { page } = await served.browser.open(`${served.url}/#/classify?example=scene`);
    await page.locator(".bars .best", { hasText: "rain" }).waitFor();
    await page.getByLabel("Taught head").selectOption("outside");
    await page.locator(".bars .best", { hasText: "weather" }).waitFor();
    expect(await page.locator(".bars li").count()).toBe(2);
    await page.locator(".code", { hasText: "head=outside" }).waitFor();
    const moment = page.getByRole("slider", { name: "Moment" });
    const box = (await moment.boundingBox())!;
    await page.mouse.click(box.x + 0.05 * box.width, box.y + 20);
    await page.locator(".bars .best", { hasText: "farm" }).waitFor();
    await page.reload();
    await page.locator(".bars .best", { hasText: "weather" }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByLabel("Taught head").selectOption("");
    await page.getByLabel("Add a label").waitFor();
    await page.close();
  });

  it("answers none of these where no label fits", async () => {
    const { page } = await served.browser.open(
      `${served.url}/#/classify?example=dog&labels=cat|car|piano`,
    );
    await page.locator(".bars .best").waitFor();
    await page.getByLabel("may answer").check();
    // The first time, the server looks at thousands of unrelated things
    await page.getByText("None of these.").waitFor({ timeout: 100_000 });
    expect(await page.locator(".bars .best").count()).toBe(0);
    await page.close();
  });

  it("goes back from example to example", async () => {
    const { page } = await served.browser.open(served.url);
    await page.getByRole("button", { name: "cat.jpg" }).click();
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    await page.getByRole("button", { name: "temple.jpg" }).click();
    await page.locator(".bars .best", { hasText: "palace" }).waitFor();
    await page.goBack();
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    await page.goBack();
    await page.getByText("What is it?").waitFor();
    await page.goForward();
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    await page.close();
  });

  it("saves labels with words of their own as a set, chooses it again, and updates it", async () => {
    const { page } = await served.browser.open(
      `${served.url}/#/classify?example=cat&labels=pet|vehicle`,
    );
    await page.locator(".bars .best", { hasText: "pet" }).waitFor();
    await page.getByText("Own words for a label").click();
    await page.getByLabel("Words for vehicle").fill("a photo of a cat\na photo of a kitten");
    await page.locator(".bars .best", { hasText: "vehicle" }).waitFor();
    await page.getByRole("button", { name: "Save set…" }).click();
    await page.getByLabel("Name of the label set").fill("odd ones");
    await page.keyboard.press("Enter");
    await page.getByText("odd-ones is saved, version 1").waitFor();
    await page.locator(".code", { hasText: "label_set=odd-ones" }).waitFor();
    const saved = await (await fetch(`${served.url}/v1/label-sets/odd-ones`)).json();
    expect(saved).toMatchObject({
      labels: [
        { label: "pet" },
        { label: "vehicle", prompts: ["a photo of a cat", "a photo of a kitten"] },
      ],
    });
    await page.getByRole("button", { name: "rocket.avif" }).click();
    await page.locator(".bars .best", { hasText: "space rocket" }).waitFor();
    await page.getByLabel("Saved label set").selectOption("odd-ones");
    await page.locator(".bars .label", { hasText: "pet" }).waitFor();
    await page.getByRole("button", { name: "Remove pet" }).click();
    await page.getByRole("button", { name: "Update odd-ones" }).click();
    await page.getByText("odd-ones is saved, version 2").waitFor();
    await page.reload();
    await page.locator(".bars .best", { hasText: "vehicle" }).waitFor();
    expect(await page.locator(".chip").count()).toBe(1);
    expect(await seriousFindings(page)).toEqual([]);
    await page.close();
  });

  it("takes labels by keys and keeps them in the address", async () => {
    const { page } = await served.browser.open(`${served.url}/#/classify?example=cat`);
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    await page.keyboard.press("/");
    for (let i = 0; i < 5; i++) await page.keyboard.press("Backspace");
    await page.keyboard.type("kitten,");
    await page.keyboard.type("lorry");
    await page.keyboard.press("Enter");
    await page.locator(".bars .best", { hasText: "kitten" }).waitFor();
    await page.reload();
    await page.locator(".bars .best", { hasText: "kitten" }).waitFor();
    expect(await page.locator(".chip").count()).toBe(2);
    await page.close();
  });

  it("makes a table of several files, sorts it, saves it, and names unusable files", async () => {
    const { page } = await served.browser.open(`${served.url}/#/classify?labels=cat|cup of coffee`);
    const files = ["cat.jpg", "coffee.webp", "rocket.avif"].map((name) => ({
      name,
      mimeType: "",
      buffer: readFileSync(`fixtures/images/${name}`),
    }));
    const junk = [
      { name: "tool.exe", mimeType: "", buffer: Buffer.from("MZ") },
      { name: "broken.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") },
    ];
    await page.getByLabel("Files").setInputFiles([...files, ...junk]);
    await page.getByText("tool.exe").waitFor();
    const row = (name: string) => page.locator("tbody tr", { hasText: name });
    await row("cat.jpg").getByText("cat", { exact: true }).waitFor();
    await row("coffee.webp").getByText("cup of coffee").waitFor();
    await row("broken.jpg").locator(".bad").waitFor();
    await page.getByRole("button", { name: "File" }).click();
    await page.getByRole("button", { name: "File" }).click();
    expect(await page.locator("tbody tr td:first-child").allTextContents()).toEqual([
      "rocket.avif",
      "coffee.webp",
      "cat.jpg",
      "broken.jpg",
    ]);
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as CSV" }).click(),
    ]);
    const csv = readFileSync((await saved.path())!, "utf8")
      .trimEnd()
      .split("\n");
    expect(csv[0]).toBe("file,kind,label,score,cat,cup of coffee");
    expect(csv).toHaveLength(5);
    await page.close();
  });

  it("hears the microphone: recorded, and live", async () => {
    const { page } = await served.browser.open(
      `${served.url}/#/classify?labels=a beep|rain|speech`,
    );
    const record = page.getByRole("button", { name: "Hold to record" });
    await record.hover();
    await page.mouse.down();
    await page.getByRole("button", { name: "Recording…" }).waitFor();
    await new Promise((resolve) => setTimeout(resolve, 1500)); // what is recorded takes its time
    await page.mouse.up();
    await page.getByText(/^recording .*\.wav$/).waitFor();
    await page.locator(".bars .best").waitFor();
    // A recording that nobody stops: each chunk comes as thousands of them
    await page.evaluate(() => {
      type Node = new (...args: unknown[]) => { port: Port };
      type Port = EventTarget & { onmessage(event: { data: Float32Array }): void };
      const scope = globalThis as unknown as { AudioWorkletNode: Node };
      scope.AudioWorkletNode = class extends scope.AudioWorkletNode {
        constructor(...args: unknown[]) {
          super(...args);
          this.port.addEventListener("message", () => {
            for (let i = 0; i < 3000; i++) this.port.onmessage({ data: new Float32Array(1) });
          });
        }
      };
    });
    await tap(record);
    await page.getByText("has reached its greatest length and ended by itself").waitFor();
    await record.waitFor();
    await page.reload();
    // One label alone scores 1, which is an event
    for (const label of ["rain", "speech"])
      await page.getByRole("button", { name: `Remove ${label}` }).click();
    await page.getByRole("button", { name: "Live" }).click();
    await page.locator("[aria-label=Now] .bars .best").waitFor();
    const events = page.locator(".events li");
    await events.first().waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    // What was heard stays, plays, and is saved
    await page.getByText("Heard live").waitFor();
    await events
      .first()
      .getByRole("button", { name: /^Play / })
      .click();
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as CSV" }).click(),
    ]);
    const csv = readFileSync((await saved.path())!, "utf8").split("\n");
    expect(csv[0]).toBe("start,end,label,score");
    const time = "\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z";
    expect(csv[1]).toMatch(new RegExp(`^${time},${time},a beep,1$`));
    await events.first().getByRole("button", { name: "Open" }).click();
    await page.getByRole("region", { name: /^Sound a beep/ }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByRole("button", { name: "Undo" }).click();
    await events.first().waitFor();
    await page.close();
  });

  it.each([
    [360, "light"],
    [360, "dark"],
    [1440, "light"],
    [1440, "dark"],
  ] as const)("fits %i px in the %s theme, and axe finds nothing serious", async (width, theme) => {
    const { page } = await served.browser.open("about:blank");
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(`${served.url}/#/classify?example=scene`);
    await page.locator(".bars .best").waitFor();
    expect(await fitsWidth(page)).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);
    // The answer comes before how it is asked, in every column
    await page.getByRole("button", { name: "Another set beside it" }).click();
    const topsOf = (name: string) =>
      page
        .getByRole("region", { name })
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
    await page.getByRole("region", { name: "Scores" }).nth(1).waitFor();
    const [scores, asking] = [await topsOf("Scores"), await topsOf("How it is asked")];
    for (const [i, top] of scores.entries()) expect(top).toBeLessThan(asking[i]);
    if (width > 720) expect(scores[0]).toBe(scores[1]);
    await page.close();
  });

  it("works under a path that a proxy takes off", async () => {
    const proxy = createServer((incoming, answer) => {
      const path = incoming.url!.replace(/^\/sounds\/lab/, "");
      const options = { method: incoming.method, headers: incoming.headers };
      const outgoing = request(served.url + path, options, (response) => {
        answer.writeHead(response.statusCode!, response.headers);
        response.pipe(answer);
      });
      incoming.pipe(outgoing);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/sounds/lab/`;
    const { page, requests, logged } = await served.browser.open(`${base}#/classify?example=cat`);
    await page.locator(".bars .best", { hasText: "cat" }).waitFor();
    const outside = requests.filter((url) => !url.startsWith(base) && !/^(blob|data):/.test(url));
    expect(outside).toEqual([]);
    expect(logged).toEqual([]);
    await page.close();
    proxy.closeAllConnections();
    proxy.close();
  });
});
