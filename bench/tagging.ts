/**
 * How long does it take to tag stored items anew, with other labels?
 *
 *     npx tsx bench/tagging.ts --items 10000 --labels 300
 *
 * Items are random vectors in the space of the starter model, so nothing is decoded; the labels are
 * new each round, so no text is remembered.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createApp } from "../src/app.js";
import { loadConfig } from "../src/config.js";
import { createLog } from "../src/log.js";
import { seededRandom } from "../src/math/random.js";
import { normalize } from "../src/math/vector.js";
import { createServices } from "../src/services.js";

const { values } = parseArgs({
  options: {
    items: { type: "string", default: "10000" },
    labels: { type: "string", default: "300" },
    rounds: { type: "string", default: "3" },
  },
});
const [items, labels, rounds] = [values.items, values.labels, values.rounds].map(Number);

const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-tagging-"));
const config = { ...loadConfig({ environment: {} }), dataDir, models: ["starter-clip"] };
const services = await createServices(config, createLog("silent"));
try {
  await services.ready;
  const app = createApp(services);
  const post = (path: string, body: object) =>
    app.request(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  await post("/v1/collections", { name: "c", model: "starter-clip" });
  const { dimensions } = await services.store.stats("c");
  const random = seededRandom(1);
  const some = Array.from({ length: items }, (_, i) => ({
    id: `item-${i}`,
    modality: "image" as const,
    embedding: normalize(Float32Array.from({ length: dimensions }, () => random.normal())),
    metadata: { number: i, name: `picture ${i}`, place: { country: "NO" } },
  }));
  await services.store.upsert("c", some);
  for (let round = 1; round <= rounds; round++) {
    const candidate_labels = Array.from({ length: labels }, (_, i) => `thing ${round} ${i}`);
    const start = performance.now();
    const { job } = (await (
      await post("/v1/collections/c/classify", { candidate_labels })
    ).json()) as { job: { id: string } };
    await (await app.request(`/v1/jobs/${job.id}/events`)).text();
    const seconds = (performance.now() - start) / 1000;
    const { result } = services.jobs.get(job.id);
    console.log(
      `round ${round}: ${result?.labelled} of ${result?.items} items tagged with ${labels} ` +
        `labels in ${seconds.toFixed(2)} s`,
    );
  }
} finally {
  await services.close();
  rmSync(dataDir, { recursive: true });
}
