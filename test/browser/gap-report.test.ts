import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpy } from "../../src/math/npy.js";
import { gapPage } from "../../src/reports/gap-page.js";
import { measureGap } from "../../src/training/measure-gap.js";
import { type Browser, hasBrowser, openBrowser } from "../helpers/browser.js";
import { goldenBytes } from "../helpers/golden.js";

const { data } = readNpy(goldenBytes("modality_gap_clip_features.npy"));
const side = (modality: string, half: number) => ({
  modality,
  values: Float32Array.from(data.subarray(half * 256_000, (half + 1) * 256_000)),
  dimensions: 512,
});

const found = hasBrowser("test/browser/gap-report.test.ts");
let browser: Browser;
beforeAll(async () => {
  if (found) browser = await openBrowser({ width: 1100, height: 900 });
});
afterAll(() => browser?.close());

describe.skipIf(!found)("gapPage in a browser", () => {
  it("shows figures and picture, requests nothing from other hosts and logs nothing", async () => {
    const { page, requests, logged } = await browser.open("about:blank");
    await page.setContent(
      gapPage(measureGap({ a: side("image", 0), b: side("text", 1), paired: true })),
    );
    const text = await page.locator("body").textContent();
    for (const figure of ["0.8514", "0.5915", "1.3802", "0.552", "0.506", "53.2 %"])
      expect(text).toContain(figure);
    expect(await page.locator("svg circle").count()).toBeGreaterThan(1000);
    const picture = await page.locator("svg").boundingBox();
    expect(picture!.width).toBeGreaterThan(600);
    expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(
      true,
    );
    expect(requests.filter((url) => !url.startsWith("data:") && url !== "about:blank")).toEqual([]);
    expect(logged).toEqual([]);
  });
});
