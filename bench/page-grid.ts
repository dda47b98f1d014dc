import sharp from "sharp";
import { createClient } from "../src/client/client.js";
import { seededRandom } from "../src/math/random.js";
import { openBrowser } from "../test/helpers/browser.js";
import { serve, untilReady } from "../test/helpers/serve.js";
import { until } from "./until.js";

/**
 * How the page's grid scrolls over many items: `npx tsx bench/page-grid.ts [items]`, after a build.
 * Prints the time to the first pictures and the time of a frame while it scrolls, headless.
 */

const count = Number(process.argv[2] ?? 10_000);
const batch = 250;
const frames = 300;
const pixelsAFrame = 90;
const fixtures = ["cat.jpg", "coffee.webp", "flower.webp", "temple.jpg", "rocket.avif"];

const images = await Promise.all(
  fixtures.map((name) => sharp(`fixtures/images/${name}`).resize(160).webp().toBuffer()),
);
const random = seededRandom(1);
const places = Array.from({ length: 12 }, (_, i) => `place ${i + 1}`);
const tags = Array.from({ length: 30 }, (_, i) => `tag ${i + 1}`);
const [server, browser] = await Promise.all([serve(), openBrowser()]);
try {
  await untilReady(server);
  const client = createClient({ url: server.url });
  await client.createCollection({ name: "many", model: "starter-clip" });
  for (let at = 0; at < count; at += batch) {
    const items = Array.from({ length: Math.min(batch, count - at) }, (_, i) => ({
      id: `picture ${at + i}.webp`,
      image: images[(at + i) % images.length].toString("base64"),
      metadata: {
        place: places[Math.floor(places.length * random.uniform() ** 2)],
        year: 2000 + Math.floor(25 * random.uniform()),
        taken: { camera: `camera ${(at + i) % 40}` },
        tags: [tags[(at + i) % tags.length], tags[(at + 3 * i) % tags.length]],
        bytes: Math.floor(1e6 * random.uniform()),
      },
    }));
    await client.addItems("many", items);
  }
  const address = `${server.url}/#/search/many`;
  const { page } = await browser.open(address); // warms the server and the browser's cache
  await page.locator(".results img").first().waitFor();
  await page.goto("about:blank");
  const start = performance.now();
  await page.goto(address);
  await until(page, "[...document.images].some((image) => image.naturalWidth > 0)");
  const firstMs = performance.now() - start;
  await page.getByRole("heading", { name: "taken.camera" }).waitFor();
  const facetsMs = performance.now() - start;
  const times = await page.evaluate<number[]>(`new Promise((resolve) => {
    const times = [];
    let last = performance.now();
    const step = (now) => {
      times.push(now - last);
      last = now;
      scrollBy(0, ${pixelsAFrame});
      times.length < ${frames} ? requestAnimationFrame(step) : resolve(times);
    };
    requestAnimationFrame(step);
  })`);
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))].toFixed(1);
  const shown = await page.locator(".results [role=gridcell]").count();
  console.info(`${count} items: first pictures after ${firstMs.toFixed(0)} ms`);
  console.info(`values of their fields after ${facetsMs.toFixed(0)} ms`);
  console.info(`a frame while scrolling: median ${at(0.5)} ms, 95 % within ${at(0.95)} ms`);
  console.info(`${shown} of them exist as elements`);
} finally {
  await browser.close();
  server.child.kill();
  await server.ended;
}
