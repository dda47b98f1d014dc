import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import type { Services } from "../../src/services.js";
import { fixture, fixtureBase64, fixtureLabels } from "../helpers/fixtures.js";
import { formPost, jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;

interface Result {
  id: string;
  similarity: number;
  modality: string;
  metadata: object;
}
interface Answer {
  path: string[];
  space: string;
  model: string | null;
  plan: string;
  results: Result[];
  next_cursor?: string;
}

const pictures = [
  "astronaut.png",
  "bricks.jpg",
  "cat.jpg",
  "coffee.webp",
  "motorcycle.jpg",
  "rocket.avif",
];
const years: Record<string, number> = {
  "cat.jpg": 2019,
  "rocket.avif": 1969,
  "astronaut.png": 1993,
};

async function fill(name: string, model: string, items: object[]) {
  await app.request("/v1/collections", jsonPost({ name, model, fields: ["year"] }));
  const answer = await (
    await app.request(`/v1/collections/${name}/items`, jsonPost({ items }))
  ).json();
  expect(answer).toMatchObject({ stored: items.length, failed: 0 });
}
const ask = (name: string, body: object) =>
  app.request(`/v1/collections/${name}/search`, jsonPost(body));
const search = async (name: string, body: object) =>
  (await (await ask(name, body)).json()) as Answer;
const idsOf = ({ results }: { results: Result[] }) => results.map(({ id }) => id);

beforeAll(async () => {
  ({ app, services } = await startApp());
  const items = pictures.map((id) => ({
    id,
    image: fixtureBase64(`images/${id}`),
    metadata: { year: years[id] },
  }));
  await fill("photos", "starter-clip", items);
});
afterAll(() => services.close());

describe("POST /v1/collections/{name}/search", () => {
  it("finds a picture by a sentence, with the path it took and the time it searched", async () => {
    const response = await ask("photos", { text: "a photo of a cat", top_k: 3 });
    expect(response.headers.get("server-timing")).toMatch(
      /inference;dur=[\d.]+, search;dur=[\d.]+/,
    );
    const answer = (await response.json()) as Answer;
    const { space } = services.packs.find("starter-clip");
    expect(answer).toMatchObject({
      path: ["starter-clip/text"],
      model: "starter-clip",
      space,
      plan: "exact",
    });
    expect(answer.results).toHaveLength(3);
    expect(answer.results[0]).toMatchObject({
      id: "cat.jpg",
      modality: "image",
      metadata: { year: 2019 },
    });
    const similarities = answer.results.map(({ similarity }) => similarity);
    expect(similarities).toEqual([...similarities].sort((a, b) => b - a));
  });

  it("finds a picture by upload, by its id (then without itself) and by its vector", async () => {
    const form = formPost({
      image: fixture("images/cat.jpg"),
      top_k: "2",
      filter: '{"field":"year","op":"exists","value":true}',
    });
    const uploaded = (await (
      await app.request("/v1/collections/photos/search", form)
    ).json()) as Answer;
    expect(uploaded.path).toEqual(["starter-clip/image"]);
    expect(uploaded.results[0]).toMatchObject({ id: "cat.jpg" });
    expect(uploaded.results[0].similarity).toBeCloseTo(1, 5);
    expect(idsOf(uploaded).every((id) => id in years)).toBe(true);
    const byItem = await search("photos", { item_id: "cat.jpg" });
    expect(byItem.path).toEqual([]);
    expect(idsOf(byItem)).toHaveLength(pictures.length - 1);
    expect(idsOf(byItem)).not.toContain("cat.jpg");
    const [{ embedding }] = await services.store.get("photos", ["cat.jpg"]);
    const byVector = await search("photos", { embedding: Array.from(embedding), top_k: 1 });
    expect(byVector).toMatchObject({ path: [], results: [{ id: "cat.jpg" }] });
  });

  it("keeps to a filter, a modality, a least similarity and pages", async () => {
    const filter = {
      and: [
        { field: "year", op: "lt", value: 2000 },
        { not: { field: "year", op: "eq", value: 1993 } },
      ],
    };
    expect(idsOf(await search("photos", { text: "a cat", filter }))).toEqual(["rocket.avif"]);
    expect(idsOf(await search("photos", { text: "a cat", modality: "audio" }))).toEqual([]);
    const all = await search("photos", { text: "a cat" });
    const best = all.results[0].similarity;
    expect(idsOf(await search("photos", { text: "a cat", min_similarity: best - 1e-4 }))).toEqual([
      all.results[0].id,
    ]);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await search("photos", { text: "a cat", top_k: 4, cursor });
      seen.push(...idsOf(page));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(idsOf(all));
    for (const recall of ["exact", "high", "fast"]) {
      expect(idsOf(await search("photos", { text: "a cat", recall }))).toEqual(idsOf(all));
    }
  });

  it("answers many queries in one call, each as it would be alone", async () => {
    const queries = [
      { text: "a rocket" },
      { item_id: "cat.jpg", top_k: 1 },
      { text: "a motorcycle" },
      { image: fixtureBase64("images/coffee.webp"), centering: true },
    ];
    const { answers, ...rest } = (await (await ask("photos", { queries, top_k: 2 })).json()) as {
      answers: Answer[];
    };
    expect(rest).toMatchObject({ path: null, model: "starter-clip" });
    for (const [i, query] of queries.entries()) {
      const { path, plan, results, next_cursor } = await search("photos", { top_k: 2, ...query });
      expect(answers[i]).toEqual({ path, plan, results, next_cursor });
    }
    const texts = { queries: [{ text: "a cat" }, { text: "a rocket" }] };
    expect(await (await ask("photos", texts)).json()).toMatchObject({
      path: ["starter-clip/text"],
    });
  });

  it("finds texts of another model by sound, over the bridge, far better than chance", async () => {
    const labels = Object.entries(fixtureLabels.audio);
    const words = [...new Set(labels.map(([, label]) => label))];
    await fill(
      "words",
      "starter-clip",
      words.map((word) => ({ id: word, text: word })),
    );
    let found = 0;
    for (const [file, label] of labels) {
      const form = formPost({ audio: fixture(`audio/${file}`), top_k: "3" });
      const answer = (await (
        await app.request("/v1/collections/words/search", form)
      ).json()) as Answer;
      expect(answer.path).toEqual(["starter-clap/audio", "bridge/starter-clap-to-starter-clip@1"]);
      if (idsOf(answer).includes(label)) found++;
    }
    // By chance .3; measured 1.
    expect(found / labels.length).toBeGreaterThan(0.6);
  });

  it("finds every modality in a mixed collection only when the search is centred", async () => {
    const texts = [
      "a kitten asleep",
      "a man on a horse",
      "a wall",
      "a tram",
      "breakfast",
      "a lake in winter",
    ];
    await fill("mixed", "starter-clip", [
      ...pictures.map((id) => ({ id, image: fixtureBase64(`images/${id}`) })),
      ...texts.map((text) => ({ id: text, text })),
      ...["cow.ogg", "rain.ogg", "piano.ogg"].map((id) => ({
        id,
        audio: fixtureBase64(`audio/${id}`),
      })),
    ]);
    const modalities = async (centering: boolean) => {
      const { results } = await search("mixed", { text: "a cat", top_k: 5, centering });
      return new Set(results.map(({ modality }) => modality)).size;
    };
    expect(await modalities(true)).toBeGreaterThan(1);
    const centred = await search("mixed", { text: "a cat", top_k: 15, centering: true });
    const plain = await search("mixed", { text: "a cat", top_k: 15 });
    const rankOfCat = (answer: Answer) => idsOf(answer).indexOf("cat.jpg");
    expect(rankOfCat(centred)).toBeLessThanOrEqual(rankOfCat(plain));
  });

  it("searches a collection of another space by vector or item alone, else names both spaces", async () => {
    await app.request("/v1/collections", jsonPost({ name: "own", space: "mine@1", dimensions: 2 }));
    const items = [
      { id: "a", embedding: [1, 0], modality: "audio" },
      { id: "b", embedding: [0, 1], modality: "audio" },
    ];
    await app.request("/v1/collections/own/items", jsonPost({ items }));
    expect(idsOf(await search("own", { embedding: [0.6, 0.8], space: "mine@1" }))).toEqual([
      "b",
      "a",
    ]);
    expect(idsOf(await search("own", { item_id: "a" }))).toEqual(["b"]);
    const { space } = services.packs.find("starter-clip");
    for (const [body, param] of [
      [{ text: "a cat" }, "text"],
      [{ embedding: [1, 0], space }, "space"],
    ] as const) {
      const response = await ask("own", body);
      expect(response.status).toBe(409);
      const { error } = (await response.json()) as { error: { message: string } };
      expect(error).toMatchObject({ code: "space_mismatch", param });
      expect(error.message).toContain("mine@1");
      expect(error.message).toContain(space);
    }
  });

  it("says which bridge is missing from a picture to a collection of sounds", async () => {
    await app.request("/v1/collections", jsonPost({ name: "sounds", model: "starter-clap" }));
    const response = await ask("sounds", { image: fixtureBase64("images/cat.jpg") });
    expect(response.status).toBe(409);
    const { error } = (await response.json()) as { error: { message: string } };
    expect(error).toMatchObject({ code: "no_path", param: "image" });
    expect(error.message).toContain('bridge from "starter-clip" to "starter-clap"');
  });

  it("names the field of an invalid query, with its index among several", async () => {
    const text = "a cat";
    const faults: [object, number, string, string][] = [
      [{}, 400, "invalid_input", "text"],
      [{ text, item_id: "cat.jpg" }, 400, "invalid_input", "item_id"],
      [{ text, top_k: 0 }, 400, "invalid_input", "top_k"],
      [{ text, top_k: 100_000 }, 400, "invalid_input", "top_k"],
      [{ text, recall: "some" }, 400, "invalid_input", "recall"],
      [
        { text, filter: { field: "year", op: "like", value: 1 } },
        400,
        "invalid_input",
        "filter.op",
      ],
      [{ text, filter: "year" }, 400, "invalid_input", "filter"],
      [{ text, cursor: "%%" }, 400, "invalid_input", "cursor"],
      [{ text, limit: 3 }, 400, "invalid_input", "limit"],
      [{ embedding: [1, 2, 3] }, 400, "invalid_input", "embedding"],
      [{ embedding_base64: "?" }, 400, "invalid_input", "embedding_base64"],
      [{ image: "AAAA" }, 415, "unsupported_media", "image"],
      [{ item_id: "nothing" }, 404, "not_found", "item_id"],
      [{ queries: [] }, 400, "invalid_input", "queries"],
      [{ queries: [{ text }], text }, 400, "invalid_input", "text"],
      [{ queries: [{ text }, {}] }, 400, "invalid_input", "queries[1].text"],
      [{ queries: [{ text }, { text, top_k: 0 }] }, 400, "invalid_input", "queries[1].top_k"],
      [{ queries: [{ text }, { image: "AAAA" }] }, 415, "unsupported_media", "queries[1].image"],
      [{ queries: [{ text }, { embedding: [1] }] }, 400, "invalid_input", "queries[1].embedding"],
      [
        { queries: Array.from({ length: 2049 }, () => ({ text })) },
        400,
        "invalid_input",
        "queries",
      ],
    ];
    for (const [body, status, code, param] of faults) {
      const response = await ask("photos", body);
      const { error } = (await response.json()) as { error: object };
      expect([response.status, error], JSON.stringify(body).slice(0, 200)).toMatchObject([
        status,
        { code, param },
      ]);
    }
    expect((await ask("nowhere", { text })).status).toBe(404);
  });

  it("ends the list where it stops being about the query; an empty list is an answer", async () => {
    const cat = await search("photos", { text: "cat", min_relevance: 0.9, top_k: 2 });
    expect(idsOf(cat)).toEqual(["cat.jpg"]);
    expect(cat.next_cursor).toBeUndefined();
    expect(await search("photos", { text: "violin", min_relevance: 0.9 })).toMatchObject({
      results: [],
    });
    const all = await search("photos", { text: "cat", min_relevance: 0, top_k: 3 });
    const relevance = all.results.map((result) => (result as { relevance?: number }).relevance!);
    expect(relevance).toEqual([...relevance].sort((a, b) => b - a));
    expect(all.next_cursor).toBeDefined();
    expect((await search("photos", { text: "cat" })).results[0]).not.toHaveProperty("relevance");
  });

  it("measures relevance of texts alone", async () => {
    const response = await ask("photos", { item_id: "cat.jpg", min_relevance: 0.9 });
    const { error } = (await response.json()) as { error: object };
    expect([response.status, error]).toMatchObject([400, { param: "min_relevance" }]);
    const several = await ask("photos", {
      queries: [{ text: "cat" }, { item_id: "cat.jpg", min_relevance: 0.9 }],
    });
    const inside = (await several.json()) as { error: object };
    expect(inside.error).toMatchObject({ param: "queries[1].min_relevance" });
  });
});
