import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKey, keyFolder, revokeKey } from "../src/access/key-file.js";
import { firstKey, pictureServer, startReloading } from "./helpers/reloading.js";

// slow: it starts a server

type Reloading = Awaited<ReturnType<typeof startReloading>>;
let { ask, askJson, dataDir, ended, read, reload, server, write } = {} as Reloading;
let pictures: Awaited<ReturnType<typeof pictureServer>>;
beforeAll(async () => {
  pictures = await pictureServer();
  ({ ask, askJson, dataDir, ended, read, reload, server, write } = await startReloading({
    urlHosts: ["127.0.0.1"],
  }));
});
afterAll(async () => {
  pictures.close();
  await server.close();
});

/** A collection with a kept picture and texts. @returns the addresses of the picture. */
async function photographs() {
  const spec = { name: "photos", model: "starter-clip", keep_media: true };
  await askJson("/v1/collections", { body: spec });
  const image = readFileSync("fixtures/images/cat.jpg").toString("base64");
  await askJson("/v1/collections/photos/items", { body: { id: "cat", image } });
  const { media_url: media } = await askJson("/v1/collections/photos/items/cat");
  const body = { ids: ["cat"] };
  const archive = await askJson("/v1/collections/photos/media/archives", { body });
  return { media: media as string, archive: archive.url as string };
}

/** A job that goes on until the pictures are released. */
async function longJob(): Promise<string> {
  await askJson("/v1/collections", { body: { name: "old", space: "own@1", dimensions: 2 } });
  const own = { embedding: [1, 0], modality: "text" };
  const texts = Array.from({ length: 70 }, (_, i) => ({ ...own, id: `${i}`, text: `text ${i}` }));
  const items = [{ ...own, id: "url", modality: "image", source: pictures.url }, ...texts];
  await askJson("/v1/collections/old/items", { body: { items } });
  pictures.hold();
  const body = { model: "starter-clip", into: "new" };
  const { job } = await askJson("/v1/collections/old/move", { body });
  await expect.poll(() => pictures.asked()).toBe(1);
  return job.id;
}

describe("a server under load", () => {
  it("drops no request while keys, configuration and models change", async () => {
    const working = await createKey(keyFolder(dataDir), { name: "working", scope: "read" });
    const leaving = await createKey(keyFolder(dataDir), { name: "leaving", scope: "read" });
    const addresses = await photographs();
    const job = await longJob();
    let isOver = false;
    const statuses: Record<string, Set<number>> = {};
    const answered: Record<string, number> = {};
    const failures: unknown[] = [];
    const client = async (name: string, send: (i: number) => Promise<Response>) => {
      statuses[name] = new Set();
      answered[name] = 0;
      for (let i = 0; !isOver; i++) {
        try {
          const response = await send(i);
          await response.arrayBuffer();
          statuses[name].add(response.status);
          answered[name]++;
        } catch (error) {
          failures.push(error); // a connection that was cut
        }
      }
    };
    const embed = (key: string) => (i: number) =>
      ask("/v1/embeddings", { key, body: { model: "starter-clip", input: `${key} ${i}` } });
    const search = (i: number) =>
      ask("/v1/collections/photos/search", { key: working, body: { text: `query ${i}` } });
    const clients = [
      client("embeddings", embed(working)),
      client("more embeddings", embed(working)),
      client("leaving", embed(leaving)),
      client("search", search),
      client("media", () => fetch(server.url + addresses.media)),
      client("archive", () => fetch(server.url + addresses.archive)),
      client("items", () =>
        ask(`/v1/collections/photos/items?limit=1&include=embedding`, { key: working }),
      ),
    ];
    const more = async () => {
      const before = { ...answered };
      const least = () => Math.min(...Object.keys(answered).map((n) => answered[n] - before[n]));
      await expect.poll(least, { timeout: 60_000 }).toBeGreaterThan(5);
    };
    try {
      await more();
      expect([...statuses.leaving]).toEqual([200]);
      await revokeKey(keyFolder(dataDir), leaving.split("_")[1]);
      await expect.poll(() => [...statuses.leaving], { timeout: 30_000 }).toEqual([200, 401]);
      for (const apiKeys of [["second-secret"], [firstKey]]) {
        const [before] = read().apiKeys;
        write({ apiKeys, requestsPerMinute: 1_000_000, models: ["starter-clap", "starter-clip"] });
        expect(await reload(before)).toMatchObject({ status: 200 });
        expect((await reload(before)).status).toBe(401);
        await more();
      }
      const swap = { model: "starter-clip", reload: true };
      expect((await ask("/v1/models", { body: swap })).status).toBe(201);
      await more();
    } finally {
      isOver = true;
      pictures.release();
    }
    await Promise.all(clients);
    expect(failures).toEqual([]);
    const { leaving: _, ...others } = statuses;
    for (const [name, seen] of Object.entries(others)) expect([...seen], name).toEqual([200]);
    expect(await ended(job)).toMatchObject({
      state: "succeeded",
      result: { items: 71, missing: { items: 0 } },
    });
  });
});
