import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import { readSafetensors, type SafeTensors, writeSafetensors } from "../../src/math/safetensors.js";
import type { Services } from "../../src/services.js";
import { trainingDefaults } from "../../src/training/training-request.js";
import { fakeApp } from "../helpers/fake-app.js";
import { fakeEmbedding, fakePack } from "../helpers/fake-packs.js";
import { jsonPost } from "../helpers/services.js";

const dimensions = 4;
let app: App;
let services: Services;
const exported: Record<string, Uint8Array> = {};

const common = { model: "eye", fromSpace: "eye@1", dimensions, lineage: { data: "abc" } };
const labels = ["x", "y"];
const report = { items: 2, labels };

beforeAll(async () => {
  ({ app, services } = await fakeApp([fakePack("eye", dimensions)]));
  const { heads } = services;
  const values = Float32Array.from([..."ab"].flatMap((one) => [...fakeEmbedding(one, dimensions)]));
  const cache = { kind: "cache" as const, values, dimensions, classes: 2, alpha: 1, beta: 5 };
  const weights = values.slice();
  const probe = {
    kind: "probe" as const,
    dimensions,
    classes: 2,
    weights,
    bias: new Float32Array(2),
  };
  const identity = Float32Array.from({ length: 16 }, (_, k) => (k % 5 === 0 ? 1 : 0));
  const layer = { weight: identity, bias: new Float32Array(4), dimensionsIn: 4, dimensionsOut: 4 };
  const fewShot = { ...common, sides: { a: "text" as const }, report };
  const adapter = { ...cache, labels: Int32Array.of(0, 1) };
  await heads.add("cache", { ...fewShot, kind: "cache" }, { fewShot: { adapter, labels } });
  await heads.add("probe", { ...fewShot, kind: "probe" }, { fewShot: { adapter: probe, labels } });
  const trained = {
    options: trainingDefaults,
    heads: { a: "linear", b: "locked" },
    data: { pairs: 10, train: 6, validation: 2, test: 2, sha256: "abc" },
    epochs: [],
    bestEpoch: 1,
    stoppedBy: "epochs" as const,
    measures: {},
    verdict: { improved: true, reason: "Measured." },
  };
  await heads.add(
    "projection",
    {
      ...common,
      kind: "projection",
      sides: { a: "image", b: "text" },
      logits: { scale: 20, bias: 0, loss: "infonce" },
      report: trained,
    },
    { a: { kind: "linear", layers: [layer] } },
  );
  for (const name of ["cache", "probe", "projection"]) exported[name] = await heads.export(name, 1);
});
afterAll(() => services.close());

// biome-ignore lint/suspicious/noExplicitAny: cases write whatever they like into it
type Parts = SafeTensors & { head: Record<string, any>; adapter: Record<string, string> };
/** An export with some of its parts changed, whole as a file. */
function changed(name: string, change: (parts: Parts) => void): Uint8Array {
  const { tensors, metadata } = readSafetensors(exported[name]);
  const head = JSON.parse(metadata.head);
  const parts = { tensors, metadata, head, adapter: JSON.parse(metadata.adapter ?? "{}") };
  change(parts);
  metadata.head = JSON.stringify(parts.head);
  if (metadata.adapter) metadata.adapter = JSON.stringify(parts.adapter);
  return writeSafetensors({ tensors: parts.tensors, metadata });
}
const send = async (bytes: Uint8Array) => {
  const path = "/v1/heads/import?name=copy";
  const response = await app.request(path, { method: "POST", body: Uint8Array.from(bytes) });
  // biome-ignore lint/suspicious/noExplicitAny: a head or an error
  return { status: response.status, body: (await response.json()) as any };
};
const array = (shape: number[], ...data: number[]) => ({ shape, data: Float32Array.from(data) });

describe("POST /v1/heads/import", () => {
  it.each(["cache", "probe", "projection"])("takes a %s as it was exported", async (name) => {
    expect(await send(exported[name])).toMatchObject({ status: 201, body: { model: "eye" } });
    await services.heads.remove("copy");
  });

  it.each<[string, string, (parts: Parts) => void, RegExp]>([
    [
      "of a model that is not there",
      "probe",
      ({ head }) => {
        head.model = "ear";
      },
      /"model".*"ear" is not installed/,
    ],
    [
      "for other weights of its model",
      "projection",
      ({ head }) => {
        head.fromSpace = "eye@0";
      },
      /space/,
    ],
    [
      "for a modality of another model",
      "probe",
      ({ head }) => {
        head.sides = { a: "audio" };
      },
      /"sides.a".*audio/,
    ],
    [
      "with a second side",
      "probe",
      ({ head }) => {
        head.sides.b = "image";
      },
      /"sides.b"/,
    ],
    [
      "of one side",
      "projection",
      ({ head }) => {
        head.sides = { a: "image" };
      },
      /"sides"/,
    ],
    [
      "in a space of its own",
      "cache",
      ({ head }) => {
        head.space = "mine";
      },
      /"space"/,
    ],
    [
      "of other dimensions than it says",
      "projection",
      ({ head }) => {
        head.dimensions = 3;
      },
      /"dimensions" are 3/,
    ],
    [
      "with a logit scale beyond reason",
      "projection",
      ({ head }) => {
        head.logits.scale = 1e300;
      },
      /"logits"/,
    ],
    [
      "of a loss that is not there",
      "projection",
      ({ head }) => {
        head.logits.loss = "magic";
      },
      /"logits.loss"/,
    ],
    [
      "with the report of another kind",
      "projection",
      ({ head }) => {
        head.report = report;
      },
      /"report"/,
    ],
    [
      "whose labels are not its adapter's",
      "probe",
      ({ head }) => {
        head.report.labels = ["x", "z"];
      },
      /"report.labels"/,
    ],
    [
      "of too few columns",
      "probe",
      ({ tensors }) => {
        tensors["adapter/weight"] = array([2, 3], 1, 0, 0, 0, 1, 0);
      },
      /3 columns/,
    ],
    [
      "with huge weights",
      "probe",
      ({ tensors }) => {
        tensors["adapter/weight"] = array([2, 4], 3e38, 0, 0, 0, 0, 0, 0, -3e38);
      },
      /weights of length/,
    ],
    [
      "with an empty label",
      "probe",
      ({ adapter, head }) => {
        adapter.labels = '["x",""]';
        head.report.labels = ["x", ""];
      },
      /"labels"/,
    ],
    [
      "with a label twice",
      "cache",
      ({ adapter }) => {
        adapter.labels = '["x","x"]';
      },
      /label appears twice/,
    ],
    [
      "with a class of .7",
      "cache",
      ({ tensors }) => {
        tensors["adapter/classes"] = array([2], 0, 0.7);
      },
      /"classes" holds 0.69/,
    ],
    [
      "with a class beyond its labels",
      "cache",
      ({ tensors }) => {
        tensors["adapter/classes"] = array([2], 0, 2);
      },
      /"classes" holds 2/,
    ],
    [
      "with alpha Infinity",
      "cache",
      ({ adapter }) => {
        adapter.alpha = "Infinity";
      },
      /"alpha" is Infinity/,
    ],
    [
      "with beta NaN",
      "cache",
      ({ adapter }) => {
        adapter.beta = "much";
      },
      /"beta" is much/,
    ],
    [
      "without items",
      "cache",
      ({ tensors }) => {
        tensors["adapter/keys"] = array([0, 4]);
        tensors["adapter/classes"] = array([0]);
      },
      /do not match/,
    ],
    [
      "with keys that are not of length 1",
      "cache",
      ({ tensors }) => {
        tensors["adapter/keys"] = array([2, 4], 3, 0, 0, 0, 0, 1, 0, 0);
      },
      /length 1/,
    ],
    [
      "with a thousand measures",
      "projection",
      ({ head }) => {
        const one = { before: 0, after: 0, change: 0, interval: [0, 0], says: "unclear" };
        head.report.measures = Object.fromEntries(
          Array.from({ length: 1000 }, (_, i) => [`m${i}`, one]),
        );
      },
      /1000 measures/,
    ],
    [
      "with a report of a million values",
      "probe",
      ({ head }) => {
        head.report.more = Array(600_000).fill(0);
      },
      /more than 500000 values/,
    ],
    [
      "with a text of a megabyte",
      "probe",
      ({ head }) => {
        head.report.more = "x".repeat(2 ** 20);
      },
      /a text of 1048576/,
    ],
    [
      "with nested metadata of a file",
      "probe",
      ({ adapter }) => {
        adapter.more = [[[]]] as never;
      },
      /nested deeper/,
    ],
  ])("refuses a head %s", async (_, name, change, message) => {
    const { status, body } = await send(changed(name, change));
    expect(body.error).toMatchObject({ code: "invalid_input", param: "file" });
    expect(body.error.message).toMatch(message);
    expect(status).toBe(400);
  });

  it("refuses a report that is nested 20,000 deep", async () => {
    const { tensors, metadata } = readSafetensors(exported.probe);
    const deep = `"deep":${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    metadata.head = metadata.head.replace('"report":{', `"report":{${deep},`);
    const { status, body } = await send(writeSafetensors({ tensors, metadata }));
    expect(status).toBe(400);
    expect(body.error.message).toContain("nested deeper than");
  });

  it("refuses weights that map every embedding to zero", async () => {
    // The space follows from the weights, so they come through the store that wrote it.
    const zero = {
      weight: new Float32Array(16),
      bias: new Float32Array(4),
      dimensionsIn: 4,
      dimensionsOut: 4,
    };
    const { versions } = services.heads.get("projection");
    const {
      active: _,
      version: __,
      ...described
    } = versions[0] as never as Record<string, unknown>;
    await services.heads.add("zero", described as never, { a: { kind: "linear", layers: [zero] } });
    const { status, body } = await send(await services.heads.export("zero", 1));
    expect(status).toBe(400);
    expect(body.error.message).toContain("map embeddings to zero");
  });
});

describe("readSafetensors", () => {
  it("refuses arrays that share bytes: each would take memory of its own", () => {
    const bytes = Buffer.from(writeSafetensors({ tensors: { a: array([2], 1, 2) }, metadata: {} }));
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString());
    for (let i = 0; i < 9; i++) header[`b${i}`] = header.a;
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const data = bytes.subarray(bytes.length - 8);
    expect(() => readSafetensors(Buffer.concat([length, json, data]))).toThrow("shares bytes");
  });
});

describe("a collection whose head is not in the data folder", () => {
  beforeAll(async () => {
    const { store } = services;
    await store.open();
    const options = { model: "eye", head: { name: "gone", version: 3 } };
    await store.createCollection({ name: "shop", space: "eye@1+head-1", dimensions, options });
    const embedding = fakeEmbedding("a", dimensions);
    const original = { space: "eye@1", embedding };
    await store.upsert("shop", [
      { id: "one", modality: "text", embedding, original },
      { id: "two", modality: "image", embedding, original },
    ]);
  });
  const post = async (path: string, body: unknown) => {
    const response = await app.request(path, jsonPost(body));
    // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
    return { status: response.status, body: (await response.json()) as any };
  };

  it("is searched by embedding and by item, and listed", async () => {
    const embedding = [...fakeEmbedding("a", dimensions)];
    const found = await post("/v1/collections/shop/search", { embedding });
    expect(found).toMatchObject({ status: 200, body: { results: [{ id: "one" }, { id: "two" }] } });
    expect((await post("/v1/collections/shop/search", { item_id: "two" })).status).toBe(200);
    expect((await app.request("/v1/collections/shop/items")).status).toBe(200);
    expect((await app.request("/v1/collections/shop/export")).status).toBe(200);
  });

  it("takes an item that needs no head", async () => {
    const embedding = [...fakeEmbedding("b", dimensions)];
    const original = { space: "eye@1", embedding };
    const item = { id: "three", modality: "text", embedding, original };
    const added = await post("/v1/collections/shop/items", { items: [item] });
    expect(JSON.stringify(added.body)).toContain('"stored"');
  });

  it("says which head is missing where a text is to go through it", async () => {
    const { status, body } = await post("/v1/collections/shop/search", { text: "a" });
    expect(status).toBe(409);
    expect(body.error).toMatchObject({ code: "no_path", param: "head" });
    expect(body.error.message).toContain('follows version 3 of the head "gone"');
    const added = await post("/v1/collections/shop/items", { items: [{ id: "x", text: "a" }] });
    expect(JSON.stringify(added.body)).toContain("no_path");
  });
});
