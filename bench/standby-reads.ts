/**
 * What searches cost a primary, read there or on its standby: `npx tsx bench/standby-reads.ts`.
 */
import type { Item } from "../src/index/item.js";
import { openPostgresStore } from "../src/index/postgres/open-postgres-store.js";
import type { PostgresStore } from "../src/index/postgres/postgres-store.js";
import { processUsage } from "../src/media/process-usage.js";
import { TestPostgres } from "../test/helpers/postgres.js";
import { clipLike } from "./clip-like.js";

const count = 20_000;
const searches = 1000;
const callers = 4;
const { corpus, crossModal: queries } = clipLike(count, 512, 200);
const items = corpus.map((embedding, i): Item => ({ id: `p${i}`, modality: "image", embedding }));
const primary = await TestPostgres.start();
const standby = await TestPostgres.standbyOf(primary);
const hosts = [primary, standby].map(({ port }) => `127.0.0.1:${port}`).join(",");
const url = `postgres://postgres@${hosts}/postgres`;

const pids = await Promise.all([primary.pid(), standby.pid()]);
/** Of each server and its processes, those that have ended too. */
const cpuMsOfBoth = () => pids.map((pid) => processUsage(pid)?.cpuMs ?? Number.NaN);

async function measure(store: PostgresStore, what: string) {
  const before = cpuMsOfBoth();
  const begin = performance.now();
  let next = 0;
  const call = async () => {
    while (next < searches) {
      const embedding = queries[next++ % queries.length];
      await store.search("photos", [{ embedding, topK: 10, recall: "high" }]);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const took = performance.now() - begin;
  const [ofPrimary, ofStandby] = cpuMsOfBoth().map((after, i) =>
    ((after - before[i]) / searches).toFixed(2),
  );
  console.log(
    `${what}: primary ${ofPrimary} ms a search, standby ${ofStandby} ms; ` +
      `${Math.round((1000 * searches) / took)} searches a second`,
  );
}

try {
  for (const maxCopyBytes of [2 ** 30, 0]) {
    for (const readsOnStandbys of [false, true]) {
      const store = await openPostgresStore({ url, readsOnStandbys, maxCopyBytes });
      if ((await store.listCollections()).length === 0) {
        await store.createCollection({ name: "photos", space: "s", dimensions: 512 });
        for (let from = 0; from < count; from += 1000)
          await store.upsert("photos", items.slice(from, from + 1000));
      }
      const plan = async () =>
        (await store.search("photos", [{ embedding: queries[0], topK: 10 }]))[0].plan;
      while (maxCopyBytes > 0 && (await plan()) !== "scan") await store.whenIndexed();
      const where = readsOnStandbys ? "standbys" : "primary";
      const how = maxCopyBytes > 0 ? "copy" : "comparing with all";
      const measureBesideWriter = async () => {
        let isOver = false;
        let written = 0;
        const writing = (async () => {
          while (!isOver) {
            const some = items.slice(0, 20).map((item) => ({ ...item, metadata: { written } }));
            await store.upsert("photos", some);
            written += 20;
          }
        })();
        await measure(store, `${how}, read on ${where}, beside a writer`);
        isOver = true;
        await writing;
      };
      await measure(store, `${how}, read on ${where}`);
      if (maxCopyBytes > 0) await measureBesideWriter();
      await store.close();
    }
  }
} finally {
  await primary.dispose();
  await standby.dispose();
}
process.exit();
