import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../helpers/fixtures.js";
import { runJob } from "../helpers/jobs.js";
import { startApp } from "../helpers/services.js";

let started: Awaited<ReturnType<typeof startApp>>;
beforeAll(async () => {
  started = await startApp({ models: ["starter-clap"] });
});
afterAll(() => started.services.close());

const whole = Buffer.from(fixture("audio/thunder.opus"));
const cut = whole.subarray(0, whole.length - 10).toString("base64");
const warnings = [expect.stringContaining("The file is cut short")];

async function post(path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await started.app.request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>;
}

describe("a sound that is damaged", () => {
  it("is classified with a warning, also in windows; a whole one without", async () => {
    const candidate_labels = ["thunder", "piano"];
    for (const timeline of [false, true]) {
      const answer = await post("/v1/zero-shot", { audio: cut, candidate_labels, timeline });
      expect(answer).toMatchObject({ scores: expect.anything(), warnings });
    }
    const answer = await post("/v1/zero-shot", {
      audio: whole.toString("base64"),
      candidate_labels,
    });
    expect(answer).not.toHaveProperty("warnings");
  });

  it("is embedded with a warning of its own among several", async () => {
    const input = [whole.toString("base64"), cut];
    const { data } = await post("/v1/embeddings", { input, modality: "audio" });
    const [first, second] = data as object[];
    expect(first).not.toHaveProperty("warnings");
    expect(second).toMatchObject({ index: 1, warnings });
  });

  it("is stored and searched for with a warning", async () => {
    await post("/v1/collections", { name: "storms", model: "starter-clap" });
    const items = [
      { id: "whole", audio: whole.toString("base64") },
      { id: "cut", audio: cut },
    ];
    const { statuses } = await post("/v1/collections/storms/items", { items });
    expect(statuses).toEqual([
      { id: "whole", status: "stored", replaced: false },
      { id: "cut", status: "stored", replaced: false, warnings },
    ]);
    const stream = await started.app.request("/v1/collections/storms/items", {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: items.map((item) => `${JSON.stringify(item)}\n`).join(""),
    });
    const lines = (await stream.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).not.toHaveProperty("warnings");
    expect(lines[1]).toMatchObject({ id: "cut", replaced: true, warnings });

    expect(await post("/v1/collections/storms/search", { audio: cut })).toMatchObject({ warnings });
    const several = await post("/v1/collections/storms/search", {
      queries: [{ item_id: "whole" }, { audio: cut }],
    });
    const answers = several.answers as object[];
    expect(answers[0]).not.toHaveProperty("warnings");
    expect(answers[1]).toMatchObject({ warnings });
  });

  it("is told of in a header of answers in other products' shapes", async () => {
    const send = async (path: string, body: string | Buffer, type: string) => {
      const headers = { "content-type": type };
      const answer = await started.app.request(path, { method: "POST", headers, body });
      expect(answer.status).toBe(200);
      return answer.headers.get("x-crossmodal-warnings");
    };
    const uri = (base64: string) => `data:audio/ogg;base64,${base64}`;
    const input = [whole.toString("base64"), cut].map(uri);
    const embed = JSON.stringify({ modality: "audio", input });
    const json = "application/json";
    const found = JSON.parse((await send("/compat/infinity/embeddings", embed, json)) ?? "");
    expect(found).toEqual([expect.stringMatching(/^input\[1\]: The file is cut short/)]);
    const classify = "/hf/starter-clap?candidate_labels=thunder,piano";
    const bytes = Buffer.from(cut, "base64");
    expect(await send(classify, bytes, "audio/ogg")).toMatch(/^\["body: The file is cut short/);
    expect(await send(classify, whole, "audio/ogg")).toBeNull();
  });

  it("is trained on and learnt from with a warning that names it", async () => {
    const [good, bad] = [whole.toString("base64"), cut];
    const sounds = [good, good, bad, good, good, good, good, bad];
    const pairs = sounds.map((audio, i) => ({ audio, text: `sound ${i}` }));
    const named = (field: string) =>
      [2, 7].map((i) =>
        expect.stringMatching(`^${field}\\[${i}\\]\\.audio: The file is cut short`),
      );
    const model = "starter-clap";
    const trained = { model, name: "trained", pairs, epochs: 1 };
    const job = await runJob(started.app, "/v1/heads", trained);
    expect(job).toMatchObject({ state: "succeeded", result: { warnings: named("pairs") } });

    const items = sounds.map((audio, i) => ({ audio, label: i % 2 === 0 ? "thunder" : "rain" }));
    const fewShot = { model, name: "few", kind: "cache", items };
    const second = await runJob(started.app, "/v1/heads", fewShot);
    expect(second).toMatchObject({ state: "succeeded", result: { warnings: named("items") } });
  });
});
