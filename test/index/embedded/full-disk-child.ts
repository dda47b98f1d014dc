// node --import tsx full-disk-child.ts FOLDER: a store on a small disk that is full. Prints what it
// found as one line of JSON.
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openEmbeddedStore } from "../../../src/index/embedded/open-embedded-store.js";
import { randomItems } from "../random-items.js";

const [disk] = process.argv.slice(2);
const dataDir = join(disk, "data");
const filler = join(disk, "filler");
const dimensions = 16;
const items = randomItems(100_000, dimensions).map((item) => ({
  ...item,
  metadata: { pad: "x".repeat(500) },
}));
const query = { embedding: items[99].embedding, topK: 1 };
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );
const free = () => {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
};
/** Takes every byte that is left. */
function fill(): void {
  const file = openSync(filler, "a");
  for (let size = 2 ** 20; size >= 1; ) {
    try {
      writeSync(file, Buffer.alloc(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
  closeSync(file);
}

let store = await openEmbeddedStore({ dataDir });
await store.createCollection({ name: "c", space: "s", dimensions });
let stored = 0;
let full = "";
while (full === "") {
  const code = await codeOf(store.upsert("c", items.slice(stored, stored + 100)));
  if (code === "done") stored += 100;
  else full = code;
}
fill();
const leftWhenFull = free();
const ids = items.slice(100, stored).map(({ id }) => id);
const deleted = await codeOf(store.delete("c", { ids }));
const compacted = await codeOf(store.compact());
const databaseBytes = statSync(join(dataDir, "crossmodal.sqlite")).size;
const storedAfterwards = await codeOf(store.upsert("c", items.slice(100, 200)));
await store.close();

rmSync(join(dataDir, "crossmodal.reserve"), { force: true });
fill();
const leftAtStart = free();
store = await openEmbeddedStore({ dataDir });
const [{ neighbors }] = await store.search("c", [query]);
const whileFull = await codeOf(
  store.upsert(
    "c",
    items.slice(200, 1000).map((item) => ({ ...item, metadata: { pad: "x".repeat(20_000) } })),
  ),
);
const refusal = (await store.condition()).cannotWrite;
rmSync(filler);
const withRoom = await codeOf(store.upsert("c", items.slice(200, 300)));
const condition = await store.condition();
const count = await store.count("c");
await store.close();
console.log(
  JSON.stringify({
    full,
    stored,
    leftWhenFull,
    deleted,
    compacted,
    databaseBytes,
    storedAfterwards,
    leftAtStart,
    found: neighbors[0]?.id === items[99].id,
    whileFull,
    refusal,
    withRoom,
    condition,
    count,
  }),
);
