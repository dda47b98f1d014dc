import { join } from "node:path";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { openBrowser } from "../test/helpers/browser.js";
import { serve, untilReady } from "../test/helpers/serve.js";

/** Takes the pictures of docs/page.md: `npx tsx scripts/page-pictures.ts`, after a build. */

const folder = "docs/page";
const width = 1200;
const sounds = {
  animals: ["cow.ogg", "sheep.flac", "pig.mp3", "dog.mp3", "crow.wav"],
  weather: ["rain.ogg", "wind.ogg", "thunder.opus", "waves.mp3"],
  music: ["piano.ogg", "guitar.mp3", "drums.ogg"],
};
async function save(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(500); // what is drawn in a worker
  const png = await page.screenshot();
  await sharp(png)
    .resize({ width })
    .webp({ quality: 82 })
    .toFile(join(folder, `${name}.webp`));
}

const [server, browser] = await Promise.all([serve(), openBrowser()]);
try {
  await untilReady(server);
  const { page } = await browser.open(`${server.url}/#/classify?example=scene`);
  await page.setViewportSize({ width: 1440, height: 920 });
  await page.locator(".bars .best").waitFor();
  const box = (await page.getByRole("slider", { name: "Moment" }).boundingBox())!;
  await page.mouse.click(box.x + 0.58 * box.width, box.y + 20);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.mouse.move(0, 0);
  await save(page, "classify");

  await page.goto(`${server.url}/#/search`);
  await page.getByRole("button", { name: /^Try it with/ }).click();
  await page.getByText("32 stored").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "the sound of a dog barking" }).click();
  await page.locator(".results .cosine").first().waitFor();
  await page.keyboard.press("ArrowRight");
  await save(page, "search");

  await page.goto(`${server.url}/#/search`);
  const collection = await page.evaluate<string>(
    `fetch("v1/collections").then((answer) => answer.json()).then(({ data }) => data[0].name)`,
  );
  await page.goto(`${server.url}/#/map/${collection}?item=dog.jpg`);
  await page.getByRole("img", { name: /in the plane, among them/ }).waitFor();
  await page.getByLabel("Near to a text").fill("an animal");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByText("The stronger a point").waitFor();
  await save(page, "map");

  await page.goto(`${server.url}/#/teach`);
  await page.getByRole("button", { name: "+ Another class" }).click();
  for (const [i, [name, files]] of Object.entries(sounds).entries()) {
    await page.getByLabel("Name of the class").nth(i).fill(name);
    const paths = files.map((file) => `fixtures/audio/${file}`);
    await page.getByLabel(`Examples of ${name}`).setInputFiles(paths);
  }
  await page.getByText("12 examples for").waitFor();
  await page.getByRole("button", { name: "Teach", exact: true }).click();
  await page.getByText("mine, version").waitFor();
  await page.getByLabel("File to try").setInputFiles(["fixtures/audio/scene.opus"]);
  await page.locator(".bars .best").waitFor();
  await save(page, "teach");
} finally {
  await browser.close();
  server.child.kill();
  await server.ended;
}
