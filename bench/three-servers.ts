/**
 * Three servers on one database, with writers and readers on each while a head is activated:
 * `npx tsx bench/three-servers.ts`.
 */
import { setTimeout as pause } from "node:timers/promises";
import { writeNpy } from "../src/math/npy.js";
import { seededRandom } from "../src/math/random.js";
import { normalize } from "../src/math/vector.js";
import { TestPostgres } from "../test/helpers/postgres.js";
import { json, post, serveOn } from "./shared-servers.js";

const model = "starter-clip";
const random = seededRandom(3);
const postgres = await TestPostgres.start();
const servers = await serveOn([postgres], 3);
const urls = servers.map(({ url }) => url);
const [one, two, three] = urls;
/** At which server each run of a job began, by the job's id. */
const owners = new Map<string, Set<string>>();
let isOver = false;

async function ok(url: string, init?: RequestInit) {
  const { status, body } = await json(url, init);
  if (status >= 300) throw new Error(`${url}: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** Asks another server than the one that made it. */
async function ended(id: string, url = three) {
  await (await fetch(`${url}/v1/jobs/${id}/events`)).text();
  const job = await ok(`${url}/v1/jobs/${id}`);
  if (job.state !== "succeeded") throw new Error(JSON.stringify(job));
  return job;
}

async function watchOwners(): Promise<void> {
  while (!isOver) {
    const rows = await postgres.query<{ id: string; owner: string }>(
      "select id, owner from crossmodal.jobs where owner is not null",
    );
    for (const { id, owner } of rows) owners.set(id, (owners.get(id) ?? new Set()).add(owner));
    await pause(50);
  }
}

/** Pairs that a head can learn: the second side is the first with its numbers moved by one. */
function rotatedTraining(dimensions: number, epochs: string): RequestInit {
  const rows = 200;
  const a = Float32Array.from({ length: rows * dimensions }, () => random.normal());
  const b = a.map((_, i) => a[i - (i % dimensions) + ((i + 1) % dimensions)]);
  const body = new FormData();
  const fields = { model, name: "shop", epochs, patience: "0", learning_rate: "0.01" };
  for (const [field, value] of Object.entries(fields)) body.append(field, value);
  for (const [side, data] of Object.entries({ a, b })) {
    const bytes = Uint8Array.from(writeNpy({ shape: [rows, dimensions], data }));
    body.append(side, new Blob([bytes]), `${side}.npy`);
  }
  return { method: "POST", body };
}

const embed = async (url: string, head: string, input: string[]): Promise<string[]> => {
  const body = { model, head, modality: "text", input };
  const { data } = await ok(`${url}/v1/embeddings`, post(body));
  return data.map(({ embedding }: { embedding: number[] }) => JSON.stringify(embedding));
};

/** @returns ms until this server answers with the second version. */
async function untilSecond(url: string, versions: string[], since: number): Promise<number> {
  for (;;) {
    const answer = new Set(await embed(url, "shop", ["a cat", "a cat", "a cat"]));
    if (answer.size > 1 || ![...answer].every((one) => versions.includes(one)))
      throw new Error("an answer mixes versions");
    if (answer.has(versions[1])) return Math.round(performance.now() - since);
  }
}

async function main(): Promise<void> {
  const watching = watchOwners().catch(() => undefined);
  const { data: models } = await ok(`${one}/v1/models`);
  const { dimensions, space } = models[0];
  for (const [url, epochs] of [
    [one, "3"],
    [two, "12"],
  ]) {
    const training = rotatedTraining(dimensions, epochs);
    await ended((await ok(`${url}/v1/heads`, training)).job.id);
  }
  await ok(`${one}/v1/heads/shop/activate`, post({ version: 1, force: true }));
  await ok(`${two}/v1/collections`, post({ name: "shop", model, head: "shop" }));
  const vectors = (count: number, from: number) =>
    Array.from({ length: count }, (_, i) => ({
      id: `v${from + i}`,
      modality: "text",
      embedding: [...normalize(Array.from({ length: dimensions }, () => random.normal()))],
      space,
    }));
  const acknowledged = new Set<string>();
  const texts = new Map<string, string>();
  const failures = new Map<string, number>();
  const failed = (what: string) => failures.set(what, (failures.get(what) ?? 0) + 1);
  const add = async (url: string, items: { id: string; text?: string }[]) => {
    const path = `${url}/v1/collections/shop/items`;
    const { status, body } = await json(path, post({ items }));
    if (status !== 200) return failed(`write: ${status} ${body.error?.code}`);
    for (const [i, item] of body.statuses.entries()) {
      if (item.status !== "stored") failed(`item: ${item.error?.code}`);
      else {
        acknowledged.add(item.id);
        if (items[i].text !== undefined) texts.set(item.id, items[i].text);
      }
    }
  };
  for (let from = 0; from < 6000; from += 500) await add(one, vectors(500, from));
  let writing = true;
  let searches = 0;
  const wrong: unknown[] = [];
  const write = async (url: string, mark: string) => {
    for (let i = 0; writing; i++)
      await add(url, [{ id: `${mark}-${i}`, text: `a picture number ${mark} ${i}` }]);
  };
  const read = async (url: string) => {
    while (writing) {
      const all = [...texts];
      if (all.length === 0) await pause(20);
      else {
        const [id, text] = all[random.integer(all.length)];
        const path = `${url}/v1/collections/shop/search`;
        const { status, body } = await json(path, post({ text, top_k: 1 }));
        if (status !== 200) failed(`search: ${status} ${body.error?.code}`);
        else {
          searches++;
          const [{ similarity }] = body.results;
          if (similarity < 0.9999) wrong.push({ id, similarity, path: body.path });
        }
        await pause(20);
      }
    }
  };
  const working = urls.flatMap((url, i) => [write(url, `w${i}`), read(url)]);
  while (texts.size < 100) await pause(50);
  const versions = [
    ...(await embed(two, "shop@1", ["a cat"])),
    ...(await embed(two, "shop@2", ["a cat"])),
  ];
  if (versions[0] === versions[1]) throw new Error("both versions embed the same");
  const before = acknowledged.size;
  const since = performance.now();
  const seen = [two, three].map((url) => untilSecond(url, versions, since));
  await ok(`${one}/v1/heads/shop/activate`, post({ version: 2, force: true }));
  const answered = Math.round(performance.now() - since);
  console.log(
    `activation: answered after ${answered} ms, in force elsewhere after ` +
      `${(await Promise.all(seen)).join(" and ")} ms; no answer of several inputs mixed versions`,
  );
  const jobs = async () =>
    postgres.query<{
      id: string;
      state: string;
      fence: number;
      deaths: number;
      kind: string;
      error: unknown;
    }>(
      "select id, state, fence::int, deaths, record ->> 'kind' as kind, record -> 'error' as error from crossmodal.jobs",
    );
  const isBusy = async () => (await jobs()).some(({ state }) => /queued|running/.test(state));
  while (await isBusy()) await pause(100);
  const took = ((performance.now() - since) / 1000).toFixed(1);
  await pause(1000);
  writing = false;
  await Promise.all(working);
  for (const { kind, state, error } of await jobs())
    if (kind === "reproject") console.log(`the re-projection ${state}`, error ?? "");
  const stats = await ok(`${three}/v1/collections/shop`);
  const { rows: ids } = {
    rows: await postgres.query<{ id: string }>(
      `select id from crossmodal.items_${
        (
          await postgres.query<{ n: number }>("select n from crossmodal.names where name = 'shop'")
        )[0].n
      }`,
    ),
  };
  const there = new Set(ids.map(({ id }) => id));
  const lost = [...acknowledged].filter((id) => !there.has(id)).length;
  console.log(
    `re-projection: ${took} s, ${acknowledged.size - before} items written meanwhile; ` +
      `${acknowledged.size} acknowledged, ${stats.count ?? there.size} there, ${lost} lost; ` +
      `head ${JSON.stringify(stats.head)}`,
  );
  console.log(`${searches} searches of a stored text, ${wrong.length} without it`);
  for (const [what, count] of failures) console.log(`  ${count} x ${what}`);
  if (wrong.length > 0) console.log(wrong.slice(0, 3));

  const labels = { candidate_labels: ["cat", "dog"] };
  const made = await Promise.all(
    Array.from({ length: 9 }, (_, i) =>
      ok(`${urls[i % 3]}/v1/collections/shop/classify`, post({ ...labels, field: `f${i}` })),
    ),
  );
  for (const { job } of made) await ended(job.id);
  const all = await jobs();
  const once = all.filter(({ fence, deaths }) => fence === 2 && deaths === 0).length;
  const serversUsed = new Set([...owners.values()].flatMap((some) => [...some])).size;
  const several = [...owners.values()].filter(({ size }) => size > 1).length;
  console.log(
    `jobs: ${all.length}, ${once} taken once and ended once, ${several} seen on two ` +
      `servers; ${serversUsed} servers ran some`,
  );

  await ok(`${one}/v1/collections`, post({ name: "things", model }));
  const things = vectors(60, 0).map(({ id, embedding }) => ({ id, embedding, modality: "image" }));
  await ok(`${one}/v1/collections/things/items`, post({ items: things }));
  const calibration = post({ name: "mine", collection: "things" });
  const { job } = await ok(`${two}/v1/calibrations`, calibration);
  await ended(job.id);
  const asked = { embedding: things[0].embedding, space, modality: "image", ...labels };
  const scored = await Promise.all(
    urls.map((url) =>
      ok(`${url}/v1/zero-shot`, post({ ...asked, reject: {}, calibration: "mine" })),
    ),
  );
  const answers = new Set(scored.map((answer) => JSON.stringify({ ...answer, timing: undefined })));
  console.log(
    `a calibration made by one: ${answers.size} answer(s) on three servers, ` +
      `${JSON.stringify(scored[0].calibration)}`,
  );
  isOver = true;
  await watching;
}

try {
  await main();
} catch (error) {
  console.log(error);
} finally {
  isOver = true;
  for (const { child } of servers) child.kill("SIGKILL");
  await postgres.dispose();
}
process.exit();
