import { mkdtempSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reloadable } from "../src/config/reload.js";
import { lockDataFolder } from "../src/index/embedded/data-folder-lock.js";
import { createLog } from "../src/log.js";
import { startServer } from "../src/server.js";
import { firstKey, pictureServer, startReloading } from "./helpers/reloading.js";

// slow: it starts a server

type Reloading = Awaited<ReturnType<typeof startReloading>>;
let { ask, askJson, ended, read, reload, server, write } = {} as Reloading;
let pictures: Awaited<ReturnType<typeof pictureServer>>;
beforeAll(async () => {
  pictures = await pictureServer();
  ({ ask, askJson, ended, read, reload, server, write } = await startReloading({
    urlHosts: ["127.0.0.1"],
  }));
});
afterAll(async () => {
  pictures.close();
  await server.close();
});

const models = async () =>
  (await askJson("/v1/models")).data.map(({ id }: { id: string }) => id) as string[];
const restore = async () => {
  write();
  expect(await reload()).toMatchObject({ status: 200 });
};
const makeCollection = async (name: string, items: object[]) => {
  await askJson("/v1/collections", { body: { name, space: "own@1", dimensions: 2 } });
  const own = { embedding: [1, 0], modality: "text" };
  const body = { items: items.map((item) => ({ ...own, ...item })) };
  expect(await askJson(`/v1/collections/${name}/items`, { body })).toMatchObject({ failed: 0 });
};

describe("POST /v1/admin/reload", () => {
  it("takes over what it can and names what needs a restart", async () => {
    write({ maxLabels: 2, maxBatch: 4, aliases: { pictures: "starter-clip" } });
    expect(await reload()).toEqual({
      status: 200,
      body: {
        changed: ["aliases", "maxLabels"],
        needs_restart: ["maxBatch"],
        models: { loaded: [], unloaded: [] },
      },
    });
    const labels = { text: "a cat", candidate_labels: ["a", "b", "c"], model: "pictures" };
    const tooMany = await ask("/v1/zero-shot", { body: labels });
    expect([tooMany.status, await tooMany.text()]).toEqual([400, expect.stringContaining("2")]);
    await restore();
  });

  it("puts the models into their order, which decides what answers by default", async () => {
    const answers = async () =>
      (await askJson("/v1/embeddings", { body: { input: "a" } })).model as string;
    write({ models: ["starter-clap", "starter-clip"] });
    expect(await reload()).toMatchObject({ body: { models: { loaded: ["starter-clap"] } } });
    expect([await models(), await answers()]).toEqual([
      ["starter-clap", "starter-clip"],
      "starter-clap",
    ]);
    write({ models: ["starter-clip", "starter-clap"] });
    expect(await reload()).toMatchObject({ body: { changed: ["models"] } });
    expect(await answers()).toBe("starter-clip");
    await restore();
    expect(await models()).toEqual(["starter-clip"]);
  });

  it("keeps the addresses of kept media and archives, and when a model was loaded", async () => {
    const { created } = await askJson("/v1/models/starter-clip");
    await askJson("/v1/collections", {
      body: { name: "kept", space: "own@1", dimensions: 2, keep_media: true },
    });
    const media = readFileSync("fixtures/images/cat.jpg").toString("base64");
    const item = { id: "cat", modality: "image", embedding: [1, 0], media };
    await askJson("/v1/collections/kept/items", { body: { items: [item] } });
    const { media_url } = await askJson("/v1/collections/kept/items/cat");
    const { url } = await askJson("/v1/collections/kept/media/archives", {
      body: { ids: ["cat"] },
    });
    const statuses = () =>
      Promise.all([media_url, url].map(async (at) => (await fetch(server.url + at)).status));
    expect(await statuses()).toEqual([200, 200]);
    write({ maxLabels: 2, apiKeys: ["second-secret"] });
    expect(await reload()).toMatchObject({ status: 200 });
    expect(await statuses()).toEqual([200, 200]);
    write();
    expect(await reload("second-secret")).toMatchObject({ status: 200 });
    expect((await askJson("/v1/models/starter-clip")).created).toBe(created);
  });

  it("gives nobody their requests a minute back", async () => {
    write({ requestsPerMinute: 3 });
    await reload();
    const status = async () => (await ask("/v1/models", { key: "wrong-secret" })).status;
    const statuses: number[] = [];
    while (!statuses.includes(429)) statuses.push(await status());
    expect(statuses.length).toBeLessThan(6);
    write({ requestsPerMinute: 3, maxLabels: 5 });
    expect(await reload()).toMatchObject({ status: 200 });
    expect(await status()).toBe(429);
    await restore();
  });
});

describe("the audit file", () => {
  it("is another after a reload, anew after it was rotated, and has reloads by a signal", async () => {
    const lines = (path: string) => readFileSync(path, "utf8").trim().split("\n").map(parse);
    const parse = (line: string) => JSON.parse(line);
    const auditFile = join(mkdtempSync(join(tmpdir(), "crossmodal-reload-")), "audit.log");
    write({ auditFile });
    expect(await reload()).toMatchObject({ status: 200 });
    renameSync(auditFile, `${auditFile}.1`);
    await server.reload();
    expect(lines(`${auditFile}.1`)).toMatchObject([{ path: "/v1/admin/reload", status: 200 }]);
    expect(lines(auditFile)).toMatchObject([{ msg: "reload", result: { changed: [] } }]);
    write({ auditFile, maxLabels: -1 });
    await expect(server.reload()).rejects.toThrow("maxLabels");
    expect(lines(auditFile)[1]).toMatchObject({ error: expect.stringContaining("maxLabels") });
    await restore();
  });
});

describe("jobs after a reload", () => {
  it("fetch nothing from a host that is allowed no more, also those that run", async () => {
    const [here, there] = [pictures.url, pictures.url.replace("127.0.0.1", "localhost")];
    write({ urlHosts: ["127.0.0.1", "localhost"] });
    await reload();
    const texts = Array.from({ length: 64 }, (_, i) => ({ id: `${i}`, text: `text ${i}` }));
    await makeCollection("sources", [
      { id: "here", modality: "image", source: here },
      ...texts,
      { id: "there", modality: "image", source: there },
    ]);
    pictures.hold();
    const body = { model: "starter-clip", into: "moved" };
    const { job } = await askJson("/v1/collections/sources/move", { body });
    await expect.poll(() => pictures.asked()).toBe(1);
    await restore();
    pictures.release();
    const first = [{ id: "there", reason: expect.stringContaining("option urlHosts") }];
    expect(await ended(job.id)).toMatchObject({ result: { missing: { items: 1, first } } });
    expect(pictures.asked()).toBe(1);
  });

  it("know the names of models, and as many labels as requests may have", async () => {
    await askJson("/v1/collections", { body: { name: "tagged", model: "starter-clip" } });
    await askJson("/v1/collections/tagged/items", { body: { id: "a", text: "a cat" } });
    write({ aliases: { tagger: "starter-clip" }, maxLabels: 2000 });
    await reload();
    const labels = Array.from({ length: 1001 }, (_, i) => `label ${i}`);
    const body = { candidate_labels: labels, model: "tagger", field: "tags" };
    const { job } = await askJson("/v1/collections/tagged/classify", { body });
    expect(await ended(job.id)).toMatchObject({ state: "succeeded", result: { labelled: 1 } });
    await restore();
  });
});

describe("a wrong configuration", () => {
  // Each option that a reload applies has a value here that it refuses, so that a new one has too.
  const wrong: Partial<Record<(typeof reloadable)[number], unknown[]>> = {
    models: [[], ["starter-clip", "no-such-model"], ["starter-clip", "starter-clip"]],
    aliases: [{ a: "no-such-model" }, { "starter-clip": "starter-clip" }],
    pinnedModels: [["no-such-model"]],
    apiKeys: [["short"]],
    requestsPerMinute: [-1],
    trustedProxies: [["10.0.0.0/99"], ["a-proxy"]],
    auditFile: [7, tmpdir(), "/dev/null/audit.log"],
    corsOrigins: [["https://app.example/"], ["app.example"]],
    trustedHosts: [["host:8080"], ["Host"]],
    urlHosts: [["https://media.example"]],
    maxConnectionsPerAddress: [-1],
    maxLabels: [0],
    maxInputs: [0.5],
    maxAnswerBytes: ["many"],
  };

  it("is listed here for every option that a reload applies", () => {
    expect(Object.keys(wrong).sort()).toEqual([...reloadable].sort());
  });

  it.each(Object.entries(wrong).flatMap(([name, values]) => values.map((value) => [name, value])))(
    "changes nothing: %s %j",
    async (name, value) => {
      // With changes that could be applied: in another configuration all of them would.
      const changed = { maxInputs: 1, aliases: { more: "starter-clip" } };
      write({ ...changed, models: ["starter-clap", "starter-clip"], [name as string]: value });
      const { status, body } = await reload();
      expect([400, 404], JSON.stringify(body)).toContain(status);
      expect(JSON.stringify(body)).toContain(name === "models" ? "model" : name);
      expect(await models()).toEqual(["starter-clip"]);
      const embed = { input: ["a", "b"], model: "starter-clip" };
      expect((await ask("/v1/embeddings", { body: embed })).status).toBe(200);
      expect((await ask("/v1/models/more")).status).toBe(404);
      write();
    },
  );

  it("changes nothing where any web page could use the server", async () => {
    write({ corsOrigins: ["*"], apiKeys: [] });
    expect(await reload()).toMatchObject({
      status: 400,
      body: { error: { param: "corsOrigins" } },
    });
    expect((await ask("/v1/models", { key: "wrong-secret" })).status).toBe(401);
    await restore();
    expect((await ask("/v1/models", { key: firstKey })).status).toBe(200);
  });

  it.each([
    ["corsOrigins", { corsOrigins: ["*"], apiKeys: [] }],
    ["pinnedModels", { pinnedModels: ["starter-clap"] }],
    ["aliases", { aliases: { a: "starter-clap" } }],
    ["auditFile", { auditFile: tmpdir() }],
  ])("starts no server, and leaves the data folder to others: %s", async (param, options) => {
    const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-reload-"));
    const lines: string[] = [];
    const info = (_: unknown, line: unknown) => void lines.push(String(line));
    const log = { ...createLog("silent"), info: info as never };
    const wrong = { ...read(), dataDir, ...options };
    await expect(startServer(wrong, log)).rejects.toMatchObject({ param });
    expect(lines).not.toContain("model loaded");
    (await lockDataFolder(dataDir))();
  });
});
