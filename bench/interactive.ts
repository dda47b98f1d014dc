/**
 * How much does a bulk add slow a person down? One search a second by text, and one by a picture,
 * first alone, then while another process adds pictures as a stream of lines; both over HTTP. Of
 * fewer than a hundred searches the 99th percentile is the slowest: `--every-ms 250` makes two of
 * each kind a second, and the quiet seconds should be as many as the add takes. Half of the quiet
 * seconds are before the add and half after it: a search of an empty collection and of one with all
 * of its items.
 *
 *     npx tsx bench/interactive.ts [--pictures 10000] [--quiet-seconds 60] [--model starter-clip]
 *                                  [--every-ms 500] [--port 8098]
 *
 * Starts `dist/cli.js serve` (`npm run build` first) with nothing remembered.
 */
import { fork } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freshPicture } from "./fresh-pictures.js";
import { readArguments } from "./read-arguments.js";
import { startServerProcess } from "./server-process.js";

const { values } = readArguments(import.meta.url, {
  options: {
    pictures: { type: "string", default: "10000" },
    "quiet-seconds": { type: "string", default: "60" },
    model: { type: "string", default: "starter-clip" },
    "every-ms": { type: "string", default: "500" },
    port: { type: "string", default: "8098" },
  },
});
const flags = ["--models", values.model, "--cache-bytes", "0"];
const server = await startServerProcess({ port: Number(values.port), flags });

/** @returns where the time went, as the server tells it. */
async function post(path: string, body: unknown): Promise<string> {
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${answer}`);
  return response.headers.get("server-timing") ?? "";
}
await post("/v1/collections", { name: "c", model: values.model });

let number = 0;
const kinds = {
  text: () => ({ text: `a photo of thing ${number++}` }),
  picture: () => ({ image: freshPicture(1_000_000_000 + number++) }),
};
type Times = Record<keyof typeof kinds, { ms: number; stages: string }[]>;

/**
 * A search every `--every-ms`, by text and by a picture in turn, until `isOver`.
 * @returns how long each took, in milliseconds.
 */
async function search(isOver: () => boolean): Promise<Times> {
  const times: Times = { text: [], picture: [] };
  const open = new Set<Promise<void>>();
  for (let turn = 0; !isOver(); turn++) {
    const kind = turn % 2 === 0 ? "text" : "picture";
    const start = performance.now();
    const one = post("/v1/collections/c/search", { ...kinds[kind](), top_k: 10 }).then((stages) => {
      times[kind].push({ ms: performance.now() - start, stages });
      open.delete(one);
    });
    open.add(one);
    await wait(Number(values["every-ms"]));
  }
  await Promise.all(open);
  return times;
}

/** Streams the pictures, from another process. @returns how many were stored. */
function add(count: number): Promise<number> {
  const script = fileURLToPath(new URL("add-pictures.ts", import.meta.url));
  const child = fork(script, [server.url, `${count}`]);
  return new Promise((resolve, reject) => {
    child.once("message", (stored) => resolve(Number(stored)));
    child.once("error", reject);
    child.once("exit", () => reject(new Error("The process that adds the pictures ended")));
  });
}

const after = (seconds: number) => {
  const end = performance.now() + 1000 * seconds;
  return () => performance.now() > end;
};
await search(after(5)); // what is slow only once
const quietHalf = () => search(after(Number(values["quiet-seconds"]) / 2));
const before = await quietHalf();
let isOver = false;
const start = performance.now();
const adding = add(Number(values.pictures)).finally(() => {
  isOver = true;
});
const busy = await search(() => isOver);
const seconds = (performance.now() - start) / 1000;
console.log(`${await adding} pictures added, ${((await adding) / seconds).toFixed(0)} a second`);
const later = await quietHalf();
const quiet = {
  text: [...before.text, ...later.text],
  picture: [...before.picture, ...later.picture],
};
const at = (share: number, list: Times["text"]) =>
  [...list].sort((a, b) => a.ms - b.ms)[Math.min(list.length - 1, Math.floor(share * list.length))];
for (const kind of ["text", "picture"] as const) {
  const line = [0.5, 0.9, 0.95, 0.99].map((share) => {
    const [alone, beside] = [at(share, quiet[kind]).ms, at(share, busy[kind]).ms];
    const ratio = (beside / alone).toFixed(2);
    return `p${100 * share} ${alone.toFixed(1)} -> ${beside.toFixed(1)} ms (${ratio})`;
  });
  console.log(
    `search by ${kind}, ${quiet[kind].length} alone and ${busy[kind].length} beside: ` +
      line.join(", "),
  );
  const slowest = [...busy[kind]].sort((a, b) => b.ms - a.ms).slice(0, 5);
  for (const { ms, stages } of slowest) console.log(`  ${ms.toFixed(1)} ms beside: ${stages}`);
}
await server.stop();
process.exit();
