/**
 * Writes to the store in the data folder without end: adds, replaces, deletes, compacts, writes
 * snapshots. What it has been told is durable it says on stdout, one JSON line each; the test kills
 * it at some moment and checks those lines.
 */
import { writeSync } from "node:fs";
import { openEmbeddedStore } from "../../../src/index/embedded/open-embedded-store.js";
import { randomItems } from "../random-items.js";

const [dataDir, seed] = process.argv.slice(2);
const dimensions = 16;
const store = await openEmbeddedStore({
  dataDir,
  scanUpTo: 50,
  scanHighUpTo: 50,
  snapshotAfter: 40,
});
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);
if ((await store.listCollections()).length === 0)
  await store.createCollection({ name: "c", space: "s", dimensions });
say({ ready: true });

for (let round = 0; ; round++) {
  const generation = `${seed}-${round}`;
  const items = randomItems(60, dimensions, Number(seed) * 1000 + round).map((item, i) => ({
    ...item,
    id: `item-${(round * 17 + i * 7) % 400}`,
    metadata: { generation },
  }));
  const ids = [...new Set(items.map(({ id }) => id))];
  say({ trying: ids, generation });
  await Promise.all([
    store.upsert("c", items.slice(0, 30)).then(() => say({ stored: ids.slice(0, 30), generation })),
    store.upsert("c", items.slice(30)).then(() => say({ stored: ids.slice(30), generation })),
  ]);
  const gone = ids.filter((_, i) => i % 5 === 0);
  say({ deleting: gone });
  await store.delete("c", { ids: gone });
  say({ deleted: gone });
  if (round % 7 === 3) await store.compact();
}
