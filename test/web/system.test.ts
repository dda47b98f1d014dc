import { describe, expect, it } from "vitest";
import { fitsWidth, seriousFindings } from "../helpers/browser.js";
import { servedPage } from "../helpers/served-page.js";

const served = servedPage("test/web/system.test.ts");

const post = (path: string, body: object, headers = {}) =>
  fetch(served.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

describe.skipIf(!served.found)("the page's System view", () => {
  it("shows models, what is stored and how long answers took, and gives a backup", async () => {
    await post("/v1/collections", { name: "notes", model: "starter-clip" });
    await post("/v1/collections/notes/items", { items: [{ text: "a red bus" }] });
    const { page, logged } = await served.browser.open(`${served.url}/#/system`);
    const models = page.getByRole("region", { name: "Models" });
    await models.getByText("starter-clip", { exact: true }).waitFor();
    await models.getByRole("button", { name: "Unload starter-clap" }).click();
    await page.getByText("starter-clap is unloaded").waitFor();
    await models.getByLabel("Load an installed model").selectOption("starter-clap");
    await page.getByText("starter-clap is loaded").waitFor();
    await models.getByText("starter-clap", { exact: true }).waitFor();
    await models.getByLabel("Model to pull").fill("no such name");
    await models.getByRole("button", { name: "Pull and load" }).click();
    await page
      .getByText(/"no such name"/)
      .first()
      .waitFor();
    await page.getByRole("link", { name: "notes" }).waitFor();
    await page
      .getByRole("region", { name: "Requests" })
      .getByText("POST /v1/collections/:name/items", { exact: true })
      .waitFor();
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Backup" }).click(),
    ]);
    expect(await saved.path()).toBeTruthy();
    expect(await fitsWidth(page)).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await fitsWidth(page)).toBe(true);
    // Every figure of the tables is seen without scrolling
    const hidden = await page
      .locator(".scroller")
      .evaluateAll((all) => all.map((one) => one.scrollWidth - one.clientWidth));
    expect(hidden.length).toBeGreaterThan(2);
    expect(Math.max(...hidden)).toBe(0);
    // The model that could not be pulled, which the browser logs.
    expect(logged.filter((text) => !text.includes("404"))).toEqual([]);
    await page.close();
  });

  it("shows the programs that ask, with what they speak, and markup as text", async () => {
    const sdk = { "user-agent": "AsyncOpenAI/Python 1.54.3" };
    expect((await post("/v1/embeddings", { input: ["rain"] }, sdk)).status).toBe(200);
    expect((await post("/v1/nothing", {}, { "user-agent": "<b>bold</b>" })).status).toBe(404);
    const { page } = await served.browser.open(`${served.url}/#/system`);
    const clients = page.getByRole("region", { name: "Clients" });
    const cells = (program: RegExp | string) =>
      clients.getByRole("row").filter({ hasText: program }).getByRole("cell");
    await clients.getByText("OpenAI for Python 1.54.3").waitFor();
    const ofSdk = await cells("OpenAI for Python").allTextContents();
    expect(ofSdk.slice(0, 5)).toEqual([
      "OpenAI for Python 1.54.3",
      "127.0.0.1",
      "OpenAI",
      "1",
      "–",
    ]);
    const unnamed = await cells("unnamed").allTextContents();
    expect([unnamed[0], unnamed[4]]).toEqual(["unnamed", "1"]);
    expect((await cells(/Chrome \d+/).allTextContents())[2]).toContain("this page");
    await page.close();
  });

  it("shows a job and cancels it", async () => {
    const bridge = { from: "starter-clap", to: "starter-clip", method: "c-mcr", epochs: 500 };
    expect((await post("/v1/bridges", { ...bridge, name: "slow" })).status).toBe(202);
    const { page } = await served.browser.open(`${served.url}/#/system`);
    const jobs = page.getByRole("region", { name: "Jobs" });
    await jobs.getByText("learning a bridge").waitFor();
    await jobs.getByRole("button", { name: "Cancel" }).click();
    await jobs.getByText("cancelled").waitFor();
    await page.close();
  });
});
