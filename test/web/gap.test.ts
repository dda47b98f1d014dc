import { readFileSync } from "node:fs";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/math/npy.js";
import { fitsWidth, seriousFindings } from "../helpers/browser.js";
import { goldenBytes } from "../helpers/golden.js";
import { servedPage } from "../helpers/served-page.js";

const served = servedPage("test/web/gap.test.ts");

const post = (path: string, body: object) =>
  fetch(served.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const unit = (values: number[]) => {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
};

const { data } = readNpy(goldenBytes("modality_gap_clip_features.npy"));
const side = (name: string, half: number) => ({
  name,
  mimeType: "",
  buffer: Buffer.from(
    writeNpy({
      shape: [500, 512],
      data: Float32Array.from(data.subarray(half * 256_000, (half + 1) * 256_000)),
    }),
  ),
});

describe.skipIf(!served.found)("the page's Gap view", () => {
  it("measures two files, moves the modalities, and saves what is seen", async () => {
    const { page, logged } = await served.browser.open(`${served.url}/#/gap`);
    // Which holds the texts is told by the names.
    await page
      .getByLabel("Embeddings of both sides")
      .setInputFiles([side("texts.npy", 1), side("images.npy", 0)]);
    await page.getByText("500 pairs · 512 dimensions").waitFor();
    const figures = await page.locator(".gap-figures dd").allTextContents();
    expect(figures.slice(0, 6).map((text) => text.replaceAll("\u00a0", " "))).toEqual([
      "0.851",
      "55.2 %",
      "50.6 %",
      "0.028",
      "54.2 %",
      "0.0 % → 53.2 %",
    ]);
    expect(await page.locator(".plane .points circle").count()).toBe(1000);
    const slider = page.getByLabel("Move along the gap");
    for (let i = 0; i < 3; i++) await slider.press("ArrowRight");
    await page.getByText("finds 38.4 % first").waitFor();
    const save = async (button: string) => {
      const [saved] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: button, exact: true }).click(),
      ]);
      return readFileSync((await saved.path())!);
    };
    const plane = (await save('Save "Where both kinds lie" as SVG')).toString();
    expect(plane).toMatch(/^<svg/);
    expect(plane).toContain('fill="rgb(15, 118, 110)"');
    expect(plane).toContain("500 pictures and 500 texts, gap 0.851");
    expect(plane).toContain(">pictures</text>");
    const curve = (await save('Save "Recall at the first place, by shift" as SVG')).toString();
    expect(curve).toContain(">texts → pictures</text>");
    expect(curve).toContain('stroke-dasharray="5 4"');
    const cosines = await sharp(await save('Save "Cosines of pairs and of others" as PNG'));
    expect(await cosines.metadata()).toMatchObject({ format: "png", width: 1452 });
    expect(JSON.parse((await save("Save all figures as JSON")).toString())).toMatchObject({
      items: { a: 500, b: 500 },
    });
    expect(await seriousFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await fitsWidth(page)).toBe(true);
    expect(logged).toEqual([]);
    await page.close();
  });

  it("begins with photographs and their captions where there is nothing to measure", async () => {
    const { page, logged } = await served.browser.open(`${served.url}/#/gap`);
    await page
      .getByRole("button", { name: "Try it with 32 photographs and their captions" })
      .click();
    await page.getByText("32 pairs · 384 dimensions").waitFor();
    expect(await page.getByLabel("Field that pairs share").inputValue()).toBe("photograph");
    // README has the same figure, of the same pairs in files
    await page.getByText("0.514", { exact: true }).first().waitFor();
    expect(logged).toEqual([]);
    await page.close();
  });

  it("measures a collection in pairs, from its address", async () => {
    await post("/v1/collections", { name: "both", space: "mine@1", dimensions: 8 });
    const items = Array.from({ length: 24 }, (_, i) => ({
      id: `item ${i}`,
      modality: i % 2 === 0 ? "image" : "audio",
      embedding: unit(Array.from({ length: 8 }, (_, d) => Math.sin((i >> 1) * 3 + d) + (i % 2))),
      metadata: { pair: i >> 1 },
    }));
    await post("/v1/collections/both/items", { items });
    const { page } = await served.browser.open(`${served.url}/#/gap/both?pairs=pair`);
    await page.getByText("12 pairs · 8 dimensions").waitFor();
    await page.getByText("pictures → sounds, first place").first().waitFor();
    expect(await page.getByLabel("Field that pairs share").inputValue()).toBe("pair");
    await page.evaluate(() => {
      location.hash = "#/gap/deleted-meanwhile";
    });
    await page.getByText("This cannot be measured").waitFor();
    await page.goBack();
    await page.getByText("12 pairs · 8 dimensions").waitFor();
    await page.close();
  });

  it("shows the hubs of a collection, which open", async () => {
    const texts = Array.from({ length: 24 }, (_, i) => ({ id: `t${i}`, text: `text ${i}` }));
    await post("/v1/collections", { name: "hubs", space: "mine@1", dimensions: 24 });
    // Pair i lies along axis i, but the text "t3" lies near to every sound.
    const items = Array.from({ length: 48 }, (_, at) => {
      const [i, isText] = [at >> 1, at % 2 === 1];
      return {
        id: isText ? texts[i].id : `folder/s${i}`,
        modality: isText ? "text" : "audio",
        embedding: unit(
          texts.map((_, d) => ((isText && i === 3) || d === i ? 1 : 0.01 * Math.sin(at + d))),
        ),
        metadata: { pair: i },
      };
    });
    await post("/v1/collections/hubs/items", { items });
    const { page } = await served.browser.open(`${served.url}/#/gap/hubs?pairs=pair`);
    const hubs = page.getByRole("region", { name: "Hubs" });
    await hubs.getByText("100 % of sounds").waitFor();
    const links = hubs.getByRole("link");
    expect(await links.first().getAttribute("href")).toBe("#/search/hubs?like=t3");
    expect(await fitsWidth(page)).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);
    await links.first().click();
    await page.getByText("s3", { exact: true }).first().waitFor();
    expect(page.url()).toContain("#/search/hubs?like=t3");
    await page.close();
  });
});
