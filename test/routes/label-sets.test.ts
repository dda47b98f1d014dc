import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { fixture, fixtureBase64 } from "../helpers/fixtures.js";
import { runJob } from "../helpers/jobs.js";
import { formPost, jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
const pictures = ["cat.jpg", "coffee.webp", "bricks.jpg"];
beforeAll(async () => {
  ({ app, services } = await startApp());
  await app.request("/v1/collections", jsonPost({ name: "photos", model: "starter-clip" }));
  for (const id of pictures)
    await app.request(
      "/v1/collections/photos/items",
      formPost({ id, image: fixture(`images/${id}`), metadata: `{"name":"${id}"}` }),
    );
  const sound = { id: "crow", audio: fixtureBase64("audio/crow.wav") };
  await app.request(
    "/v1/collections/photos/items",
    jsonPost({ items: [sound, { id: "text", text: "a cat asleep" }] }),
  );
});
afterAll(() => services.close());

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
type Any = any;
const send = async (path: string, body?: object, method = "POST"): Promise<Any> => {
  const init = body === undefined ? { method } : { ...jsonPost(body), method };
  const response = await app.request(path, init);
  return { status: response.status, ...((await response.json()) as object) };
};
const zeroShot = (body: object) => send("/v1/zero-shot", body);
const putSet = (name: string, body: object) => send(`/v1/label-sets/${name}`, body, "PUT");
const scoresOf = (answer: Any) =>
  Object.fromEntries(
    (answer.scores as { label: string; score: number }[]).map(({ label, score }) => [label, score]),
  );
const candidate_labels = ["cat", "cup of coffee", "brick wall"];

describe("POST /v1/zero-shot with what is stored", () => {
  it("scores an item as it scores its picture, with nothing uploaded", async () => {
    const image = fixtureBase64("images/cat.jpg");
    const sent = await zeroShot({ image, candidate_labels, model: "starter-clip" });
    const stored = await zeroShot({ item_id: "cat.jpg", collection: "photos", candidate_labels });
    expect(stored.model).toBe("starter-clip");
    for (const [label, score] of Object.entries(scoresOf(sent)))
      expect(scoresOf(stored)[label]).toBeCloseTo(score as number, 5);
  });

  it("scores an embedding, by the space it names", async () => {
    const [item] = await services.store.get("photos", ["cat.jpg"]);
    const { space } = await services.store.stats("photos");
    const embedding = [...item.embedding];
    const body = { embedding, modality: "image", candidate_labels };
    const stored = await zeroShot({ item_id: "cat.jpg", collection: "photos", candidate_labels });
    expect((await zeroShot({ ...body, space })).scores).toEqual(stored.scores);
    expect(await zeroShot({ ...body, space: "elsewhere@1" })).toMatchObject({
      status: 409,
      error: { code: "space_mismatch" },
    });
    expect(await zeroShot({ ...body, embedding: [1, 0] })).toMatchObject({
      error: { param: "embedding" },
    });
  });

  it("takes many inputs of many kinds at once, in order", async () => {
    const inputs = [
      { image: fixtureBase64("images/coffee.webp") },
      { text: "a wall of bricks" },
      { item_id: "cat.jpg", collection: "photos" },
      { item_id: "crow", collection: "photos" },
    ];
    const { status, answers } = await zeroShot({ inputs, candidate_labels });
    expect(status).toBe(200);
    expect(answers).toHaveLength(4);
    for (const [i, input] of inputs.slice(0, 3).entries()) {
      const alone = await zeroShot({ ...input, candidate_labels, model: "starter-clip" });
      expect(answers[i].scores).toEqual(alone.scores);
    }
  });

  it.each<[string, object, string]>([
    ["an item without its collection", { item_id: "cat.jpg" }, "collection"],
    ["an item that is not there", { item_id: "x", collection: "photos" }, "item_id"],
    ["an embedding without its modality", { embedding: [1] }, "modality"],
    ["two contents", { text: "a", item_id: "cat.jpg", collection: "photos" }, "item_id"],
    ["inputs beside a content", { inputs: [{ text: "a" }], text: "b" }, "text"],
    ["an input of none", { inputs: [{ text: "a" }, {}] }, "inputs[1].image"],
    [
      "a label twice",
      { text: "a", candidate_labels: ["a", { label: "a" }] },
      "candidate_labels[1]",
    ],
    [
      "an empty prompt",
      { text: "a", candidate_labels: [{ label: "a", prompts: [" "] }] },
      "candidate_labels[0].prompts[0]",
    ],
  ])("refuses %s", async (_, body, param) => {
    expect(await zeroShot({ candidate_labels, ...body })).toMatchObject({ error: { param } });
  });
});

describe("labels with prompts and thresholds of their own", () => {
  it("averages a label's prompts in place of the templates", async () => {
    const text = "a cat";
    const [first, second] = ["a photo of a cat.", "a photo of a kitten."];
    const both = await zeroShot({
      text,
      model: "starter-clip",
      hypothesis_template: "a photo of a {}.",
      candidate_labels: [{ label: "pet", prompts: [first, second] }, "dog"],
    });
    const oracle = await zeroShot({
      text,
      model: "starter-clip",
      hypothesis_template: ["a photo of a {}."],
      candidate_labels: ["cat", "kitten", "dog"],
    });
    expect(scoresOf(both).pet).toBeGreaterThan(0.5);
    // One prompt is the label in that sentence
    const one = await zeroShot({
      text,
      model: "starter-clip",
      hypothesis_template: "a photo of a {}.",
      candidate_labels: [{ label: "cat", prompts: ["a photo of a {}."] }, "kitten", "dog"],
    });
    expect(one.scores).toEqual(oracle.scores);
  });

  it("keeps what reaches its label's own threshold, else the request's", async () => {
    const body = { text: "a cat", multi_label: true, model: "starter-clip" };
    const all = scoresOf(await zeroShot({ ...body, candidate_labels: ["cat", "dog", "car"] }));
    const labels = ["cat", "dog", "car"].sort((a, b) => all[b] - all[a]);
    const least = { label: labels[2], threshold: 0 };
    const most = { label: labels[0], threshold: 1 };
    const some = await zeroShot({
      ...body,
      threshold: all[labels[1]],
      candidate_labels: [most, labels[1], least],
    });
    expect(Object.keys(scoresOf(some))).toEqual([labels[1], labels[2]]);
  });
});

describe("/v1/label-sets", () => {
  it("keeps, lists, replaces and removes a set", async () => {
    const labels = [{ label: "cat", prompts: ["a cat", "a {} asleep"] }, { label: "dog" }];
    const made = await putSet("pets", { labels, template_set: "clip" });
    expect(made).toMatchObject({ name: "pets", version: 1, labels, template_set: "clip" });
    expect(await putSet("pets", { labels: ["cat"] })).toMatchObject({ version: 2 });
    expect(await send("/v1/label-sets/pets", undefined, "GET")).toMatchObject({
      version: 2,
      labels: [{ label: "cat" }],
    });
    expect((await send("/v1/label-sets", undefined, "GET")).data).toMatchObject([{ name: "pets" }]);
    expect(await send("/v1/label-sets/pets", undefined, "DELETE")).toMatchObject({ status: 200 });
    for (const method of ["GET", "DELETE"])
      expect(await send("/v1/label-sets/pets", undefined, method)).toMatchObject({ status: 404 });
  });

  it.each<[string, object, string]>([
    ["no labels", { labels: [] }, "labels"],
    ["a label twice", { labels: ["a", "a"] }, "labels[1]"],
    ["thresholds of no model", { labels: [{ label: "a", threshold: 0.5 }] }, "model"],
    [
      "a template without a hole",
      { labels: ["a"], hypothesis_template: "x" },
      "hypothesis_template",
    ],
    ["a set of templates that is not there", { labels: ["a"], template_set: "x" }, "template_set"],
  ])("refuses %s", async (_, body, param) => {
    expect(await putSet("bad", body)).toMatchObject({ status: 400, error: { param } });
  });

  it("takes no name that differs from another in case alone, and finds none by it", async () => {
    expect((await putSet("Animals", { labels: ["cat"] })).status).toBe(200);
    const twin = await putSet("animals", { labels: ["dog"] });
    expect(twin).toMatchObject({ status: 409, error: { code: "conflict", param: "name" } });
    expect((await send("/v1/label-sets/animals", undefined, "GET")).status).toBe(404);
    expect((await putSet("Animals", { labels: ["dog"] })).version).toBe(2);
    await send("/v1/label-sets/Animals", undefined, "DELETE");
  });

  it("stands in place of labels and templates, and goes with neither", async () => {
    await putSet("animals", { labels: candidate_labels, hypothesis_template: "this is a {}" });
    const item = { item_id: "cat.jpg", collection: "photos" };
    const by = await zeroShot({ ...item, label_set: "animals" });
    expect(by.label_set).toEqual({ name: "animals", version: 1 });
    const template = { hypothesis_template: "this is a {}" };
    const same = await zeroShot({ ...item, candidate_labels, ...template });
    expect(by.scores).toEqual(same.scores);
    for (const other of [{ candidate_labels }, template, { multi_label: true }])
      expect(await zeroShot({ ...item, label_set: "animals", ...other })).toMatchObject({
        error: { param: Object.keys(other)[0] },
      });
    expect(await zeroShot({ ...item, label_set: "nothing" })).toMatchObject({ status: 404 });
  });

  it("uses its thresholds in their own space, and warns in another", async () => {
    const labels = candidate_labels.map((label) => ({ label, threshold: 0.9 }));
    await putSet("strict", { labels, model: "starter-clip" });
    const item = { item_id: "cat.jpg", collection: "photos", label_set: "strict" };
    const own = await zeroShot(item);
    expect(own.scores.length).toBeLessThanOrEqual(1);
    expect(own.warnings).toBeUndefined();
    const other = await zeroShot({ text: "a cat", label_set: "strict", model: "starter-clap" });
    expect(other.scores).toHaveLength(3);
    expect(other.warnings[0]).toContain('The thresholds of the label set "strict" belong to');
  });

  it("tells a damaged file apart from one that is not there", async () => {
    const { readFile, writeFile } = await import("node:fs/promises");
    await putSet("damaged", { labels: ["a"] });
    const { dataDir, store } = services.config;
    const path = `${dataDir}/${store === "" ? "" : "shared/"}label-sets/damaged.json`;
    await writeFile(path, '{"formatVersion":1,"sha256":"0"}');
    expect(await send("/v1/label-sets/damaged", undefined, "GET")).toMatchObject({
      error: { code: "storage_corrupt" },
    });
    await putSet("other", { labels: ["b"] });
    await writeFile(path, await readFile(path.replace("damaged.json", "other.json")));
    expect(await send("/v1/label-sets/damaged", undefined, "GET")).toMatchObject({
      error: { code: "storage_corrupt", message: expect.stringContaining('that of "other"') },
    });
    const { data } = await send("/v1/label-sets", undefined, "GET");
    expect(data).toContainEqual({
      name: "damaged",
      error: expect.stringContaining("damaged.json"),
    });
    expect(data).toContainEqual(expect.objectContaining({ name: "other", version: 1 }));
    for (const name of ["damaged", "other"])
      await send(`/v1/label-sets/${name}`, undefined, "DELETE");
  });
});

describe("POST /v1/collections/{name}/classify", () => {
  const path = "/v1/collections/photos/classify";
  const metadataOf = async (id: string) => (await services.store.get("photos", [id]))[0].metadata;

  it("writes each item's best label into its metadata, and leaves the rest alone", async () => {
    const { state, result } = await runJob(app, path, { candidate_labels });
    expect(state).toBe("succeeded");
    expect(result).toMatchObject({ items: 5, labelled: 5, skipped: { items: 0 }, field: "tags" });
    const { scores } = await zeroShot({
      item_id: "cat.jpg",
      collection: "photos",
      candidate_labels,
    });
    expect(await metadataOf("cat.jpg")).toMatchObject({
      name: "cat.jpg",
      tags: { labels: ["cat"], scores: [Number(scores[0].score.toFixed(4))] },
    });
    const filter = { field: "tags.labels", op: "contains", value: "cat" };
    const { results } = await send("/v1/collections/photos/search", { text: "a pet", filter });
    expect(results.map(({ id }: { id: string }) => id)).toContain("cat.jpg");
  });

  it("tags the items of a filter and a modality, into a separate field, with a label set", async () => {
    await putSet("thin", { labels: ["cat", "dog"], multi_label: true });
    const { result } = await runJob(app, path, {
      label_set: "thin",
      threshold: 0.99999,
      field: "auto.kind",
      modality: "image",
      filter: { item: "id", op: "prefix", value: "c" },
    });
    expect(result).toMatchObject({ items: 2, labelled: 0, counts: {} });
    expect((await metadataOf("cat.jpg")).auto).toMatchObject({
      kind: { labels: [], scores: [], by: expect.stringContaining("labels thin version 1") },
    });
    expect(await metadataOf("bricks.jpg")).not.toHaveProperty("auto");
  });

  it.each<[string, object, string]>([
    ["no labels", {}, "candidate_labels"],
    ["multi_label without any bound", { candidate_labels, multi_label: true }, "threshold"],
    ["a field that is not a path", { candidate_labels, field: "a'b" }, "field"],
    ["a model of another space", { candidate_labels, model: "nothing" }, "model"],
  ])("refuses %s at once", async (_, body, param) => {
    expect(await send(path, body)).toMatchObject({ error: { param } });
  });

  it("names the items that are in no space that the labels are in", async () => {
    const { result } = await runJob(app, path, { candidate_labels, model: "starter-clap" });
    // The sound came over the bridge, and what its own model gave is kept
    expect(result).toMatchObject({ items: 5, labelled: 1, skipped: { items: 4 } });
    expect(result.skipped.first[0].reason).toContain("starter-clip");
  });
});
