import type { Page } from "playwright-core";
import sharp from "sharp";
import { createClient } from "../src/client/client.js";
import { seededRandom } from "../src/math/random.js";
import { openBrowser } from "../test/helpers/browser.js";
import { serve, untilReady } from "../test/helpers/serve.js";
import { until } from "./until.js";

/**
 * How the page's map zooms and pans over many points: `npx tsx bench/page-map.ts [points]`, after a
 * build. Prints the time to the first picture, to the colours of a field, and of a frame in motion,
 * of points and of pictures in their place, headless.
 */

const count = Number(process.argv[2] ?? 10_000);
const dimensions = 384;
const clusters = 40;
const batch = 1000;
const frames = 200;
/** So far in that about a hundred pictures are in view. */
const zooms = 5;

const random = seededRandom(1);
const gaussian = (scale: number) =>
  Float64Array.from({ length: dimensions }, () => scale * random.normal());
const centres = Array.from({ length: clusters }, () => gaussian(1));
const modalities = ["image", "text"] as const;
const places = Array.from({ length: 12 }, (_, i) => `place ${i + 1}`);
const fixtures = ["cat.jpg", "coffee.webp", "flower.webp", "temple.jpg", "rocket.avif"];
const pictures = await Promise.all(
  fixtures.map(async (name) => {
    const small = await sharp(`fixtures/images/${name}`).resize(160).webp().toBuffer();
    return small.toString("base64");
  }),
);

const [server, browser] = await Promise.all([serve(), openBrowser()]);
try {
  await untilReady(server);
  const client = createClient({ url: server.url });
  // In the space of a model, so that regions have names as well.
  await client.createCollection({ name: "many", model: "starter-clip", keep_media: true });
  const { space } = await client.getCollection("many");
  for (let at = 0; at < count; at += batch) {
    const items = Array.from({ length: Math.min(batch, count - at) }, (_, i) => {
      const cluster = centres[(at + i) % clusters];
      const vector = gaussian(0.7).map((x, d) => x + cluster[d]);
      const length = Math.hypot(...vector);
      return {
        id: `item ${at + i}`,
        modality: modalities[i % 2],
        embedding: Array.from(vector, (x) => x / length),
        space,
        ...(i % 2 === 0 && { media: pictures[i % pictures.length] }),
        metadata: {
          place: places[Math.floor(places.length * random.uniform() ** 2)],
          year: 2000 + Math.floor(25 * random.uniform()),
          taken: { camera: `camera ${(at + i) % 40}` },
          path: `2024/${at + i}.jpg`,
        },
      };
    });
    await client.addItems("many", items);
  }
  const address = `${server.url}/#/map/many`;
  const { page } = await browser.open(address); // warms the server and the browser's cache
  const canvas = page.getByRole("img", { name: /items in the plane, among/ });
  await canvas.waitFor();
  await page.goto("about:blank");
  const start = performance.now();
  await page.goto(address);
  await until(
    page,
    `(() => {
    const canvas = document.querySelector(".map-frame canvas");
    if (canvas === null || canvas.width === 0) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value > 0);
  })()`,
  );
  const firstMs = performance.now() - start;
  await canvas.waitFor();
  console.info(`${count} points: first picture after ${firstMs.toFixed(0)} ms`);
  console.info(`a frame in motion: ${await framesOf(page)}`);
  const chosen = performance.now();
  await page.getByLabel("Colour by").selectOption("place");
  await page.getByRole("button", { name: /^place 1 / }).waitFor();
  console.info(`the colours of a field: after ${(performance.now() - chosen).toFixed(0)} ms`);
  console.info(`a frame in motion, coloured: ${await framesOf(page)}`);
  for (let i = 0; i < zooms; i++) await page.getByRole("button", { name: "Zoom in" }).click();
  await page.waitForLoadState("networkidle");
  console.info(`a frame in motion, of pictures: ${await framesOf(page)}`);
} finally {
  await browser.close();
  server.child.kill();
  await server.ended;
}

async function framesOf(page: Page): Promise<string> {
  const times = await page.evaluate<number[]>(`new Promise((resolve) => {
    const canvas = document.querySelector(".map-frame canvas");
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const [clientX, clientY] = [left + width / 2, top + height / 2];
    const wheel = (deltaY) =>
      canvas.dispatchEvent(new WheelEvent("wheel", { deltaY, clientX, clientY, cancelable: true }));
    const key = (name) =>
      canvas.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
    const times = [];
    let last = performance.now();
    const step = (now) => {
      times.push(now - last);
      last = now;
      const i = times.length;
      if (i % 3 === 0) key(["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"][(i / 3) % 4]);
      else wheel(i % 100 < 50 ? -12 : 12);
      i < ${frames} ? requestAnimationFrame(step) : resolve(times);
    };
    requestAnimationFrame(step);
  })`);
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))].toFixed(1);
  return `median ${at(0.5)} ms, 95 % within ${at(0.95)} ms`;
}
