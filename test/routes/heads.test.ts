import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { App } from "../../src/app.js";
import { writeNpy } from "../../src/math/npy.js";
import { seededRandom } from "../../src/math/random.js";
import type { Services } from "../../src/services.js";
import { fixtureBase64, fixtureLabels } from "../helpers/fixtures.js";
import { runJob } from "../helpers/jobs.js";
import { formPost, jsonPost, startApp } from "../helpers/services.js";

// Models and training, on machines that do other things too
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let app: App;
let services: Services;
let dimensions: number;
beforeAll(async () => {
  ({ app, services } = await startApp());
  dimensions = services.packs.find("starter-clip").manifest.dimensions;
});
afterAll(() => services.close());

/**
 * Pairs of `labels` labels: a scatters around a direction of its label, b is another direction, the
 * same for the label.
 */
function labelledPairs(count: number, labels = 6) {
  const random = seededRandom(3);
  const direction = () => Array.from({ length: dimensions }, () => random.normal());
  const centers = Array.from({ length: labels }, direction);
  const names = Array.from({ length: labels }, direction);
  const label = (i: number) => i % labels;
  const rows = (of: (i: number) => number[]) =>
    writeNpy({
      shape: [count, dimensions],
      data: Float32Array.from(Array.from({ length: count }, (_, i) => of(i)).flat()),
    });
  return {
    a: rows((i) => centers[label(i)].map((x) => x + 0.5 * random.normal())),
    b: rows((i) => names[label(i)]),
    labels: JSON.stringify(Array.from({ length: count }, (_, i) => `label-${label(i)}`)),
  };
}

const form = (fields: Record<string, string | Uint8Array>) => formPost(fields).body as FormData;
const get = async (path: string, init?: RequestInit) => {
  const response = await app.request(path, init);
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
  return { status: response.status, body: (await response.json()) as any };
};
const photo = (name: string) => fixtureBase64(`images/${name}`);

describe("POST /v1/heads with .npy files", () => {
  it("trains as a job, tells its epochs, and activates what improved", async () => {
    const fields = {
      ...labelledPairs(90),
      model: "starter-clip",
      name: "trained",
      epochs: "4",
      learning_rate: "0.003",
    };
    const job = await runJob(
      app,
      "/v1/heads",
      form({ ...fields, activate: "if_improved", screen: "true" }),
    );
    expect(job.error).toBeUndefined();
    expect(job).toMatchObject({ kind: "train", state: "succeeded" });
    expect(
      job.events.some(({ detail }) => detail?.stage === "training" && detail.epochs === 4),
    ).toBe(true);
    const { result } = job;
    expect(result).toMatchObject({
      head: "trained",
      version: 1,
      activated: true,
      verdict: { improved: true },
    });
    expect(result.screening).toMatchObject({ excluded: 0 });
    const listed = await get("/v1/heads/trained");
    expect(listed.body).toMatchObject({
      name: "trained",
      model: "starter-clip",
      version: 1,
      space: result.space,
      active: true,
      versions: [
        {
          version: 1,
          kind: "projection",
          modalities: ["image", "text"],
          loss: "infonce",
          pairs: 90,
        },
      ],
    });
    const { measures, lineage } = listed.body.versions[0];
    expect(measures.mean_reciprocal_rank.after).toBeGreaterThan(
      measures.mean_reciprocal_rank.before,
    );
    expect(lineage).toEqual({
      data: expect.stringMatching(/^[0-9a-f]{64}$/),
      seed: 1,
      parent: null,
    });
  });

  it("answers embeddings and zero-shot in the head's space", async () => {
    const { body: head } = await get("/v1/heads/trained");
    const ask = { model: "starter-clip", input: "a cat" };
    const plain = await get("/v1/embeddings", jsonPost(ask));
    const headed = await get("/v1/embeddings", jsonPost({ ...ask, head: "trained" }));
    expect(headed.body).toMatchObject({
      model: "starter-clip",
      head: { name: "trained", version: 1 },
      space: head.space,
    });
    expect(headed.body.data[0].embedding).not.toEqual(plain.body.data[0].embedding);
    expect(Math.hypot(...headed.body.data[0].embedding)).toBeCloseTo(1, 5);
    const scores = await get(
      "/v1/zero-shot",
      jsonPost({ image: photo("cat.jpg"), candidate_labels: ["cat", "rocket"], head: "trained" }),
    );
    expect(scores.body).toMatchObject({
      model: "starter-clip",
      head: { name: "trained", version: 1 },
      space: head.space,
    });
    expect(scores.body.scores).toHaveLength(2);
  });

  it("keeps the report as JSON and as a page", async () => {
    const path = "/v1/heads/trained/versions/1/report";
    const { body } = await get(path);
    expect(body).toMatchObject({
      verdict: { improved: true },
      screening: { counts: expect.any(Object) },
    });
    expect(body.epochs[0]).toMatchObject({ epoch: 1, train_loss: expect.any(Number) });
    const page = await app.request(path, { headers: { accept: "text/html" } });
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("trained, version 1");
  });

  it("exports, imports under another name, and activates it there", async () => {
    const exported = await app.request("/v1/heads/trained/versions/1/export");
    const bytes = new Uint8Array(await exported.arrayBuffer());
    const headers = { "content-type": "application/octet-stream" };
    const imported = await get("/v1/heads/import?name=copy", {
      method: "POST",
      headers,
      body: bytes,
    });
    expect(imported).toMatchObject({
      status: 201,
      body: { name: "copy", imported_version: 1, active: false },
    });
    const activated = await get("/v1/heads/copy/activate", jsonPost({ version: 1 }));
    const original = await get("/v1/heads/trained");
    expect(activated.body).toMatchObject({ active: true, space: original.body.space });
    const bad = await get("/v1/heads/import", {
      method: "POST",
      headers,
      body: bytes.subarray(0, 100),
    });
    expect(bad).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_input", param: "file" } },
    });
    expect((await get("/v1/heads/copy", { method: "DELETE" })).status).toBe(409);
    expect((await get("/v1/heads/copy?force=true", { method: "DELETE" })).body).toEqual({
      name: "copy",
      deleted: true,
    });
  });

  it("refuses to activate what did not improve, unless forced, and rolls back", async () => {
    const random = seededRandom(9);
    const noise = () =>
      writeNpy({
        shape: [60, dimensions],
        data: Float32Array.from({ length: 60 * dimensions }, () => random.normal()),
      });
    const fields = { a: noise(), b: noise(), model: "starter-clip", name: "trained", epochs: "2" };
    const job = await runJob(app, "/v1/heads", form({ ...fields, activate: "if_improved" }));
    expect(job.result).toMatchObject({
      version: 2,
      activated: false,
      verdict: { improved: false },
    });
    const refused = await get("/v1/heads/trained/activate", jsonPost({ version: 2 }));
    expect(refused).toMatchObject({
      status: 409,
      body: { error: { code: "conflict", param: "version" } },
    });
    expect(
      (await get("/v1/heads/trained/activate", jsonPost({ version: 2, force: true }))).body.version,
    ).toBe(2);
    expect((await get("/v1/heads/trained/rollback", { method: "POST" })).body.version).toBe(1);
    expect((await get("/v1/heads/trained/versions/2", { method: "DELETE" })).status).toBe(200);
  });

  it("uses no version once the head is deactivated, and one again after a rollback", async () => {
    const post = { method: "POST" };
    expect((await get("/v1/heads/trained/deactivate", post)).body).toMatchObject({
      version: null,
      active: false,
    });
    const zeroShot = jsonPost({ text: "a", candidate_labels: ["b"], head: "trained" });
    expect((await get("/v1/zero-shot", zeroShot)).status).toBe(409);
    expect((await get("/v1/heads/trained/rollback", post)).body.version).toBe(1);
  });

  it("stops without a version when cancelled, and continues from its checkpoint when resumed", async () => {
    const fields = {
      ...labelledPairs(60),
      model: "starter-clip",
      name: "stopped",
      epochs: "10000",
      patience: "0",
    };
    const { body } = await get("/v1/heads", { method: "POST", body: form(fields) });
    const path = `/v1/jobs/${body.job.id}`;
    await expect
      .poll(async () => (await get(path)).body.detail?.epoch ?? 0, { timeout: 60_000 })
      .toBeGreaterThan(2);
    const cancelled = await get(path, { method: "DELETE" });
    expect(cancelled.body.state).toBe("cancelled");
    const reached = cancelled.body.detail.epoch;
    expect((await get("/v1/heads/stopped")).status).toBe(404);
    await get(`${path}/resume`, { method: "POST" });
    await expect
      .poll(async () => (await get(path)).body.detail.epoch, { timeout: 60_000 })
      .toBeGreaterThan(reached);
    await get(path, { method: "DELETE" });
  });

  it("does not train on for a model that has other weights by now", async () => {
    const source = {
      kind: "media",
      field: "pairs",
      a: { kind: "texts", modality: "text", texts: ["a"] },
    };
    const data = {
      name: "old",
      model: "starter-clip",
      space: "starter-clip@00000000",
      source,
      heads: {},
      options: {},
      activate: "never",
    };
    const { id } = await services.jobs.create("train", { data });
    await expect.poll(() => services.jobs.get(id).state).toBe("failed");
    expect(services.jobs.get(id).error).toMatchObject({ code: "space_mismatch", param: "model" });
  });

  it("takes every loss with what it needs", async () => {
    const random = seededRandom(4);
    const rows = (width: number) =>
      writeNpy({
        shape: [24, width],
        data: Float32Array.from({ length: 24 * width }, () => random.normal()),
      });
    const run = (fields: Record<string, string | Uint8Array>) =>
      runJob(
        app,
        "/v1/heads",
        form({
          a: rows(dimensions),
          b: rows(dimensions),
          model: "starter-clip",
          name: "losses",
          epochs: "1",
          ...fields,
        }),
      );
    const three = await run({ loss: "three-towers", third: rows(16) });
    expect(three.error).toBeUndefined();
    expect(three).toMatchObject({ state: "succeeded" });
    const locked = await run({
      loss: "sigmoid",
      head: '{"text": "locked", "image": {"kind": "residual", "ratio": 0.3}}',
    });
    expect(locked.error).toBeUndefined();
    expect(locked).toMatchObject({ state: "succeeded" });
    const { body } = await get(`/v1/heads/losses/versions/${locked.result.version}/report`);
    expect(body).toMatchObject({
      heads: { a: "residual", b: "locked" },
      options: { loss: "sigmoid" },
    });
    const probed = await run({
      mixup: "0.5",
      probe_a: rows(dimensions),
      probe_b: rows(dimensions),
    });
    expect(
      (await get(`/v1/heads/losses/versions/${probed.result.version}/report`)).body.forgetting,
    ).toBeDefined();
  });
});

describe("POST /v1/heads with media", () => {
  const names = Object.entries(fixtureLabels.images).slice(0, 9);

  it("embeds pictures and texts in the job, then trains", async () => {
    const pairs = names.map(([file, label]) => ({
      image: photo(file),
      text: `a photo of ${label}`,
    }));
    const job = await runJob(app, "/v1/heads", {
      model: "starter-clip",
      name: "media",
      pairs,
      epochs: 1,
      batch_size: 4,
    });
    expect(job.error).toBeUndefined();
    expect(job).toMatchObject({ state: "succeeded" });
    expect(job.events.some(({ detail }) => detail?.stage === "embedding")).toBe(true);
    const { body } = await get("/v1/heads/media");
    expect(body.versions[0]).toMatchObject({ modalities: ["image", "text"], pairs: 9 });
  });

  it("fails with the name of a picture that cannot be decoded", async () => {
    const pairs = names.map(([file], i) => ({
      image: i === 3 ? "aGVsbG8=" : photo(file),
      text: `picture ${i}`,
    }));
    const job = await runJob(app, "/v1/heads", { model: "starter-clip", pairs, epochs: 1 });
    expect(job).toMatchObject({ state: "failed", error: { param: "pairs[3].image" } });
  });

  it.each([
    ["model", { model: "none", pairs: [{ image: "aGVsbG8=", text: "x" }] }, 404],
    ["pairs", { model: "starter-clip" }, 400],
    [
      "pairs[1]",
      { model: "starter-clip", pairs: [{ image: "aGVsbG8=", text: "x" }, { text: "y" }] },
      400,
    ],
    ["pairs[0].image", { model: "starter-clip", pairs: [{ image: "no base64!", text: "x" }] }, 400],
    ["pairs[0]", { model: "starter-clip", pairs: [{ text: "x" }] }, 400],
    ["batch_size", { pairs: [{ image: "aGVsbG8=", text: "x" }], batch_size: 1 }, 400],
    ["loss", { pairs: [{ image: "aGVsbG8=", text: "x" }], loss: "none" }, 400],
    ["labels", { pairs: [{ image: "aGVsbG8=", text: "x" }], labels: ["a", "b"] }, 400],
    ["groups", { pairs: [{ image: "aGVsbG8=", text: "x" }], groups: ["a"] }, 400],
    ["name", { pairs: [{ image: "aGVsbG8=", text: "x" }], name: "../x" }, 400],
    ["items", { kind: "projection", items: [{ image: "aGVsbG8=", label: "x" }] }, 400],
    ["epoch", { pairs: [{ image: "aGVsbG8=", text: "x" }], epoch: 3 }, 400],
  ])("names %s when it is at fault", async (param, body, status) => {
    const answer = await get("/v1/heads", jsonPost(body));
    expect(answer).toMatchObject({ status, body: { error: { param } } });
  });

  it("refuses embeddings of another size than the model's before a job is made", async () => {
    const rows = Array.from({ length: 10 }, (_, i) => [i, 1, 2]);
    const answer = await get(
      "/v1/heads",
      jsonPost({ model: "starter-clip", pairs: { embeddings: { a: rows, b: rows } } }),
    );
    expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_input" } } });
    expect(answer.body.error.message).toContain(`Expected ${dimensions} numbers`);
  });
});

describe("few-shot heads", () => {
  const sounds = ["drums.ogg", "piano.ogg", "rain.ogg", "sheep.flac"];
  const items = () =>
    sounds.map((file, i) => ({
      audio: fixtureBase64(`audio/${file}`),
      label: ["alpha", "bravo", "charlie", "delta"][i],
    }));

  it.each(["probe", "cache"] as const)(
    "a %s tells sounds by house names the model cannot know",
    async (kind) => {
      const job = await runJob(app, "/v1/heads", {
        model: "starter-clap",
        kind,
        name: `house-${kind}`,
        items: items(),
      });
      expect(job.error).toBeUndefined();
      expect(job).toMatchObject({ kind: "few-shot", state: "succeeded" });
      expect(job.result).toMatchObject({ head: `house-${kind}`, version: 1, activated: true });
      const answer = await get(
        "/v1/zero-shot",
        jsonPost({ audio: fixtureBase64("audio/rain.ogg"), head: `house-${kind}` }),
      );
      expect(answer.body).toMatchObject({ model: "starter-clap", head: { name: `house-${kind}` } });
      expect(answer.body.space).toBe(services.packs.find("starter-clap").space);
      if (kind === "probe") expect(answer.body.scores[0].label).toBe("charlie");
      expect(
        answer.body.scores.reduce((sum: number, { score }: { score: number }) => sum + score, 0),
      ).toBeCloseTo(1, 6);
    },
  );

  it("takes every labelled picture of a collection that also has texts", async () => {
    await get("/v1/collections", jsonPost({ name: "captioned", model: "starter-clip" }));
    const pictures = [
      ["cat.jpg", "cat"],
      ["clock.webp", "clock"],
      ["horse.png", "horse"],
    ].map(([file, label]) => ({ image: photo(file), metadata: { label } }));
    const text = { text: "a photo of a cat", metadata: { label: "cat" } };
    await get("/v1/collections/captioned/items", jsonPost({ items: [...pictures, text] }));
    const ask = {
      model: "starter-clip",
      kind: "probe",
      name: "captioned",
      items: { collection: "captioned", by: "label" },
    };
    expect(await runJob(app, "/v1/heads", ask)).toMatchObject({
      state: "succeeded",
      result: { labels: ["cat", "clock", "horse"] },
    });
  });

  it.each([
    ["pairs.collection", 404, { pairs: { collection: "none", by: "label" } }],
    ["pairs.by", 400, { pairs: { collection: "captioned", by: "metadata.colour" } }],
    ["items.collection", 404, { kind: "probe", items: { collection: "none", by: "label" } }],
    ["items.by", 400, { kind: "cache", items: { collection: "captioned", by: "colour" } }],
  ])(
    "answers at once and names %s when a collection or its field is not there",
    async (param, status, ask) => {
      const answer = await get("/v1/heads", jsonPost({ model: "starter-clip", ...ask }));
      expect(answer).toMatchObject({ status, body: { error: { param } } });
    },
  );

  it("offers labels that a cache has no examples of, and not to a probe", async () => {
    const ask = {
      audio: fixtureBase64("audio/rain.ogg"),
      candidate_labels: ["charlie", "a dog barking"],
    };
    expect(
      (await get("/v1/zero-shot", jsonPost({ ...ask, head: "house-cache" }))).body.scores,
    ).toHaveLength(2);
    const refused = await get("/v1/zero-shot", jsonPost({ ...ask, head: "house-probe" }));
    expect(refused).toMatchObject({
      status: 400,
      body: { error: { param: "candidate_labels[1]" } },
    });
  });

  it.each([
    ["head", { image: photo("cat.jpg"), head: "house-probe" }, 400],
    ["head", { audio: fixtureBase64("audio/rain.ogg"), head: "none" }, 404],
    [
      "head",
      { audio: fixtureBase64("audio/rain.ogg"), head: "house-probe", model: "starter-clip" },
      400,
    ],
    [
      "multi_label",
      { audio: fixtureBase64("audio/rain.ogg"), head: "house-probe", multi_label: true },
      400,
    ],
    ["candidate_labels", { audio: fixtureBase64("audio/rain.ogg") }, 400],
  ])("answers an error at %s when it does not fit", async (param, body, status) => {
    expect(await get("/v1/zero-shot", jsonPost(body))).toMatchObject({
      status,
      body: { error: { param } },
    });
  });
});
