import { Hono } from "hono";
import { afterAll, describe, expect, it } from "vitest";
import { createLog } from "../../src/log.js";
import { readNpy, writeNpy } from "../../src/math/npy.js";
import { MediaBudget } from "../../src/media/budget.js";
import { errorResponse } from "../../src/routes/error-response.js";
import { gapRoutes } from "../../src/routes/gap.js";
import { gapMeasurer } from "../../src/training/gap-measurer.js";
import type { GapReport } from "../../src/training/measure-gap.js";
import { goldenBytes } from "../helpers/golden.js";
import { formPost, jsonPost } from "../helpers/services.js";

const measurer = gapMeasurer();
afterAll(() => measurer.close());
const dimensions = 30;
/** Pair i lies along axis i; one of b, row 7, lies near to every one of a. */
const side = (modality: string, isB: boolean) => ({
  modality,
  dimensions,
  values: Float32Array.from({ length: dimensions ** 2 }, (_, at) => {
    const [row, axis] = [Math.floor(at / dimensions), at % dimensions];
    return isB && row === 7 ? 1 : row === axis ? 1 : 0.01 * Math.sin(at);
  }),
});
const hubSides = () => ({ a: side("image", false), b: side("text", true), paired: true });
const idsOf = (of: string) => Array.from({ length: dimensions }, (_, row) => `${of} ${row}`);
/** Those of true collections are measured in headed-collections.test.ts. */
const readCollection = async () => ({
  request: hubSides(),
  ids: { a: idsOf("picture"), b: idsOf("text") },
});
const budget = new MediaBudget({
  maxUnits: 512,
  maxBytes: 2 ** 29,
  maxDecoding: 2,
  maxPerCaller: 64,
});
const app = new Hono()
  .route("/", gapRoutes({ ...measurer, readCollection, bytesOf: async () => 0, budget }))
  .onError(errorResponse(createLog("silent")));
const post = (init: RequestInit, accept?: string) =>
  app.request("/v1/modality-gap", {
    ...init,
    headers: { ...init.headers, ...(accept ? { accept } : {}) },
  });

const { data } = readNpy(goldenBytes("modality_gap_clip_features.npy"));
const npy = (half: number) =>
  writeNpy({
    shape: [500, 512],
    data: Float32Array.from(data.subarray(half * 256_000, half * 256_000 + 256_000)),
  });
const rows = [
  [1, 0.1, 0],
  [0.9, 0, 0.2],
  [0.8, -0.3, 0],
  [1, 0, -0.4],
];
const others = rows.map(([x, y, z]) => [-x, z, y]);
const body = {
  a: { modality: "image", embeddings: rows },
  b: { modality: "text", embeddings: others },
  paired: true,
};

describe("POST /v1/modality-gap", () => {
  it("measures two .npy files off the main thread", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const response = await post(formPost({ a: npy(0), b: npy(1) }));
    clearInterval(timer);
    expect(response.status).toBe(200);
    expect(ticks).toBeGreaterThan(10);
    const report = (await response.json()) as GapReport;
    expect(report).toMatchObject({
      paired: true,
      items: { a: 500, b: 500 },
      modalities: { a: "image", b: "text" },
    });
    expect(report.centroid_gap).toBeCloseTo(0.8514, 4);
    expect(report.recall?.a_to_b.at_1).toBe(0.552);
  });

  it("takes JSON and answers in the form that was asked for", async () => {
    const json = await post(jsonPost(body));
    expect(await json.json()).toMatchObject({
      linear_separability: { centroids: 1 },
      dimensions: 3,
    });
    const svg = await post(jsonPost(body), "image/svg+xml");
    expect(svg.headers.get("content-type")).toContain("image/svg+xml");
    expect(await svg.text()).toMatch(/^<svg /);
    const html = await post(jsonPost(body), "text/html");
    expect(await html.text()).toContain("<title>Modality gap: image and text</title>");
  });

  it("names hubs by the ids of a collection, and by the rows of what was sent", async () => {
    const { hubs } = (await (await post(jsonPost({ collection: "c" }))).json()) as GapReport;
    expect(hubs?.a_to_b.items[0]).toEqual({ id: "text 7", share: 1 });
    expect(hubs?.b_to_a.items.every(({ share }) => share > 10 / dimensions)).toBe(true);
    const rowsOf = ({ values }: { values: Float32Array }) =>
      Array.from({ length: dimensions }, (_, i) =>
        Array.from(values.subarray(i * dimensions, (i + 1) * dimensions)),
      );
    const { a, b } = hubSides();
    const sent = { a: { embeddings: rowsOf(a) }, b: { embeddings: rowsOf(b) }, paired: true };
    const ofSent = (await (await post(jsonPost(sent))).json()) as GapReport;
    expect(ofSent.hubs?.a_to_b.items[0]).toEqual({ row: 7, share: 1 });
  });

  it.each([
    [
      "a ragged row",
      { ...body, b: { embeddings: [...others.slice(0, 3), [1, 2]] } },
      "b.embeddings[3]",
    ],
    [
      "a row that is not an array",
      { ...body, a: { embeddings: [...rows, "x"] } },
      "a.embeddings[4]",
    ],
    ["no rows", { ...body, a: { embeddings: [] } }, "a.embeddings"],
    [
      "a zero row",
      { ...body, a: { embeddings: [[0, 0, 0], ...rows.slice(1)] } },
      "a.embeddings[0]",
    ],
    [
      "unequal dimensions",
      { ...body, b: { embeddings: rows.map((row) => [...row, 1]) } },
      "b.embeddings",
    ],
    [
      "pairs of unequal number",
      { ...body, b: { embeddings: [...others, [1, 1, 1]] } },
      "b.embeddings",
    ],
    ["a missing side", { a: body.a }, "b"],
    ["an unknown modality", { ...body, a: { modality: "smell", embeddings: rows } }, "a.modality"],
  ])("answers 400 and names the field for %s", async (_, request, param) => {
    const response = await post(jsonPost(request));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_input", param } });
  });

  it("names the row of a .npy file that is not a number, and the file that is none", async () => {
    const bad = writeNpy({
      shape: [4, 3],
      data: Float32Array.from([...rows.flat().slice(0, 11), Number.NaN]),
    });
    const good = writeNpy({ shape: [4, 3], data: Float32Array.from(others.flat()) });
    expect(await (await post(formPost({ a: bad, b: good }))).json()).toMatchObject({
      error: { param: "a.embeddings[3]" },
    });
    const text = new TextEncoder().encode("not an array");
    expect(await (await post(formPost({ a: good, b: text }))).json()).toMatchObject({
      error: { code: "invalid_input", param: "b" },
    });
  });
});
