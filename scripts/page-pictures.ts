import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { type Client, createClient } from "../src/client/client.js";
import { everydayThings } from "../src/zero-shot/everyday-words.js";
import { openBrowser } from "../test/helpers/browser.js";
import { serve, untilReady } from "../test/helpers/serve.js";

/**
 * Takes the pictures of docs/page.md, all or those that are named, after a build:
 * `npx tsx scripts/page-pictures.ts [name…]`.
 */

const folder = "docs/page";
const width = 1200;
const sounds = {
  animals: ["cow.ogg", "sheep.flac", "pig.mp3", "dog.mp3", "crow.wav"],
  weather: ["rain.ogg", "wind.ogg", "thunder.opus", "waves.mp3"],
  music: ["piano.ogg", "guitar.mp3", "drums.ogg"],
};
const kinds = [
  "an animal",
  "food",
  "a plant",
  "a vehicle",
  "a building",
  "a landscape",
  "a tool",
  "a person",
];

async function save(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(500); // what is drawn in a worker
  const png = await page.screenshot();
  await sharp(png)
    .resize({ width })
    .webp({ quality: 82 })
    .toFile(join(folder, `${name}.webp`));
}

/** The photographs and the names of things, with what the model takes each for, laid out by UMAP. */
async function fillMap(client: Client): Promise<void> {
  const names = readdirSync("fixtures/gallery").filter((name) => name.endsWith(".jpg"));
  const photographs = names.map((id) => ({
    id,
    image: readFileSync(join("fixtures/gallery", id)).toString("base64"),
  }));
  await client.createCollection({ name: "scenes", model: "starter-clip" });
  await client.addItems("scenes", photographs);
  await client.addItems(
    "scenes",
    everydayThings.map((id) => ({ id, text: `a photo of ${id}` })),
  );
  const classified = await client.classifyCollection("scenes", {
    candidate_labels: kinds,
    hypothesis_template: "a photo of {}",
    field: "kind",
  });
  const laidOut = await client.layOutMap("scenes", { method: "umap" });
  for (const { job } of [classified, laidOut])
    for await (const { error } of client.jobEvents(job.id))
      if (error !== undefined) throw new Error(error.message);
}

/** The photographs with what each shows in words, as pairs. */
async function fillPairs(client: Client): Promise<void> {
  const rows = readFileSync("fixtures/gallery.csv", "utf8").trim().split("\n").slice(1);
  const items = rows.flatMap((row) => {
    const [file, title] = row.split(",");
    const image = readFileSync(join("fixtures/gallery", file)).toString("base64");
    return [
      { id: file, image, metadata: { photograph: file } },
      { id: title, text: `a photo of ${title}`, metadata: { photograph: file } },
    ];
  });
  await client.createCollection({ name: "photographs", model: "starter-clip" });
  await client.addItems("photographs", items);
}

interface Studio {
  page: Page;
  url: string;
  client: Client;
}

async function takeClassify({ page, url }: Studio): Promise<void> {
  await page.goto(`${url}/#/classify?example=scene`);
  await page.locator(".bars .best").waitFor();
  const box = (await page.getByRole("slider", { name: "Moment" }).boundingBox())!;
  await page.mouse.click(box.x + 0.58 * box.width, box.y + 20);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.mouse.move(0, 0);
}

async function takeSearch({ page, url }: Studio): Promise<void> {
  await page.goto(`${url}/#/search`);
  await page.getByRole("button", { name: /^Try it with/ }).click();
  await page.getByText("32 stored").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "the sound of a dog barking" }).click();
  await page.locator(".results .cosine").first().waitFor();
  await page.mouse.move(0, 0);
  await page.keyboard.press("ArrowRight");
}

async function takeMap({ page, url, client }: Studio): Promise<void> {
  await fillMap(client);
  await page.goto(`${url}/#/map/scenes?by=umap&colour=kind.labels`);
  await page.getByRole("img", { name: /in the plane, among them/ }).waitFor();
  await page.waitForLoadState("networkidle");
}

async function takeTeach({ page, url }: Studio): Promise<void> {
  await page.goto(`${url}/#/teach`);
  await page.getByRole("button", { name: "+ Another class" }).click();
  for (const [i, [name, files]] of Object.entries(sounds).entries()) {
    await page.getByLabel("Name of the class").nth(i).fill(name);
    const paths = files.map((file) => `fixtures/audio/${file}`);
    await page.getByLabel(`Examples of ${name}`).setInputFiles(paths);
  }
  await page.getByText("12 examples for").waitFor();
  await page.getByRole("button", { name: "Teach", exact: true }).click();
  await page.getByText("taught in").waitFor();
  await page.getByLabel("File to try").setInputFiles(["fixtures/audio/scene.opus"]);
  await page.locator(".bars .best").waitFor();
}

async function takeGap({ page, url, client }: Studio): Promise<void> {
  await fillPairs(client);
  await page.goto(`${url}/#/gap/photographs?pairs=photograph`);
  await page.locator(".gap-figures").waitFor();
}

/** Last: it shows the others' work. Programs ask the server too. */
async function takeSystem({ page, url }: Studio): Promise<void> {
  const headers = { "content-type": "application/json", "user-agent": "OpenAI/Python 1.54.3" };
  const body = JSON.stringify({ model: "starter-clip", input: ["a red bus", "rain"] });
  await fetch(`${url}/v1/embeddings`, { method: "POST", headers, body });
  await fetch(`${url}/ping`, { headers: { "user-agent": "immich-server/1.120.0" } });
  await page.setViewportSize({ width: 1440, height: 1700 });
  await page.goto(`${url}/#/system`);
  await page.getByText("immich-server").waitFor();
  await page.getByRole("region", { name: "Models" }).getByText("starter-clap").first().waitFor();
}

const pictures: Record<string, (studio: Studio) => Promise<void>> = {
  classify: takeClassify,
  search: takeSearch,
  map: takeMap,
  teach: takeTeach,
  gap: takeGap,
  system: takeSystem,
};

const asked = process.argv.slice(2);
const [server, browser] = await Promise.all([serve(), openBrowser()]);
try {
  await untilReady(server);
  const { url } = server;
  for (const name of asked.length === 0 ? Object.keys(pictures) : asked) {
    const { page } = await browser.open(url);
    await page.setViewportSize({ width: 1440, height: 920 });
    await pictures[name]({ page, url, client: createClient({ url }) });
    await save(page, name);
    await page.close();
  }
} finally {
  await browser.close();
  server.child.kill();
  await server.ended;
}
