import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "../../src/client/client.js";
import { loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { type RunningServer, startServer } from "../../src/server.js";
import { fixture } from "../helpers/fixtures.js";

// slow: a real server with the starter packs.

let server: RunningServer;
let client: Client;
const pictures = new Map(
  ["cat", "motorcycle", "temple"].map((name) => [name, fixture(`images/${name}.jpg`)]),
);
beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-client-"));
  const options = { ...loadConfig({ environment: {} }), dataDir, device: "cpu", port: 0 };
  const models = ["starter-clip"];
  const config = { ...options, models, apiKeys: ["secret"] };
  server = await startServer(config, createLog("silent"));
  client = createClient({ url: server.url, apiKey: "secret" });
});
afterAll(() => server.close());

describe("createClient with a server", () => {
  it("is refused without the key", async () => {
    const stranger = createClient({ url: server.url });
    const refused = { status: 401, code: "unauthorized", param: "authorization" };
    await expect(stranger.listModels()).rejects.toMatchObject(refused);
    expect(await stranger.live()).toEqual({ status: "live" });
    await expect.poll(() => client.ready()).toEqual({ status: "ready" });
  });

  it("classifies a picture in whatever form it comes", async () => {
    const bytes = Uint8Array.from(pictures.get("cat")!);
    const forms = [new Blob([bytes]), bytes, bytes.buffer, new Blob([bytes]).stream()];
    for (const image of [...forms, Buffer.from(bytes).toString("base64")]) {
      const { scores } = await client.zeroShot({ image, candidate_labels: ["cat", "rocket"] });
      expect(scores[0].label).toBe("cat");
    }
  });

  it("names the field at fault and the id under which the server logged it", async () => {
    const failed = client.zeroShot({ image: new Uint8Array(3), candidate_labels: ["cat"] });
    await expect(failed).rejects.toMatchObject({ status: 415, requestId: expect.any(String) });
    await expect(client.embeddings({ input: [] })).rejects.toMatchObject({
      code: "invalid_input",
      param: "input",
    });
  });

  it("adds one, several and a stream of items, finds, exports and deletes them", async () => {
    await client.createCollection({ name: "c", model: "starter-clip", fields: ["n"] });
    const cat = { id: "cat", image: new Blob([Uint8Array.from(pictures.get("cat")!)]) };
    expect(await client.addItem("c", { ...cat, metadata: { n: 1 }, source: null })).toMatchObject({
      id: "cat",
      status: "stored",
    });
    const motorcycle = { id: "motorcycle", image: pictures.get("motorcycle")! };
    const several = await client.addItems("c", [motorcycle, { id: "bad", image: "no base64!" }]);
    expect(several).toMatchObject({ stored: 1, failed: 1 });
    const stream = [{ id: "temple", image: pictures.get("temple")! }, { id: "none" }];
    for (const duplex of [true, false]) {
      const statuses: string[] = [];
      for await (const { status } of client.addItemStream("c", stream, { duplex }))
        statuses.push(status);
      expect(statuses).toEqual(["stored", "failed"]);
    }
    const { results } = await client.search("c", { text: "a photo of a temple", top_k: 1 });
    expect(results.map(({ id }) => id)).toEqual(["temple"]);
    const queries = [{ image: pictures.get("motorcycle")! }, { text: "a cat" }];
    const { answers } = await client.search("c", { queries, top_k: 1 });
    expect(answers.map(({ results: [{ id }] }) => id)).toEqual(["motorcycle", "cat"]);

    expect((await client.itemPreview("c", "cat")).type).toBe("image/webp");
    const exported: string[] = [];
    for await (const { id, embedding } of client.exportItems("c"))
      exported.push(`${id} ${embedding?.length}`);
    expect(exported).toEqual(["cat 384", "motorcycle 384", "temple 384"]);
    const widened = { image: cat.image, filter: null as never };
    await expect(client.search("c", widened)).rejects.toMatchObject({ param: "filter" });
    await client.deleteItem("c", "cat");
    await expect(client.getItem("c", "cat")).rejects.toMatchObject({ code: "not_found" });
  });

  it("follows a job to its end and loads what it made", async () => {
    const items = [...pictures].map(([label, image]) => ({ image, label }));
    const { job } = await client.trainHead({ kind: "probe", name: "few", items });
    let last = job;
    for await (last of client.jobEvents(job.id));
    expect(last).toMatchObject({ state: "succeeded", result: { head: "few", version: 1 } });
    const file = await client.exportHead("few", 1);
    expect(await client.importHead(file, { name: "copy" })).toMatchObject({ imported_version: 1 });
    expect(await client.headReport("few", 1)).toMatchObject({
      labels: ["cat", "motorcycle", "temple"],
    });
    const { scores } = await client.zeroShot({ image: pictures.get("motorcycle")!, head: "few" });
    expect(scores[0].label).toBe("motorcycle");
  });

  it("measures a gap from files, as JSON and as a picture", async () => {
    const side = (input: string[]) =>
      client.embeddings({ input }).then(({ data }) => data.map((one) => one.embedding as number[]));
    const [a, b] = [
      await side(["a cat", "a dog", "a bus", "x"]),
      await side(["cat", "dog", "bus", "y"]),
    ];
    const request = {
      a: { embeddings: a },
      b: { embeddings: b.map((row) => Float32Array.from(row)) },
    };
    expect(await client.modalityGap(request)).toMatchObject({ dimensions: 384, paired: true });
    expect(await client.modalityGapAs("image/svg+xml", request)).toMatch(/^<svg/);
  });
});
