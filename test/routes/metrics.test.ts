import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/app.js";
import { registry } from "../../src/metrics.js";
import type { Services } from "../../src/services.js";
import { jsonPost, startApp } from "../helpers/services.js";

let app: App;
let services: Services;
beforeAll(async () => {
  ({ app, services } = await startApp({ models: ["starter-clip"] }));
});
afterAll(() => services.close());

const metrics = async () => (await app.request("/metrics")).text();
const readSample = (text: string, sample: string) => {
  const line = text.split("\n").find((other) => other.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
};

describe("GET /metrics", () => {
  it("is documented, metric by metric", () => {
    const page = readFileSync("docs/operations.md", "utf8");
    const [, table] = /\n\| metric \|.*\n([\s\S]*?)\n\n/.exec(page)!;
    const rows = table.split("\n").map((row) => row.split("|")[1]);
    const documented = rows.flatMap((cell) =>
      [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name),
    );
    const served = registry.getMetricsAsArray().map(({ name }) => name);
    expect(documented.sort()).toEqual(served.sort());
  });

  it("tells what the parts hold at the moment", async () => {
    const text = await metrics();
    const { towers } = services.packs.find("starter-clip");
    for (const { modality, bytes } of towers) {
      const sample = `crossmodal_model_bytes{model="starter-clip",modality="${modality}"}`;
      expect(readSample(text, sample)).toBe(bytes);
    }
    expect(readSample(text, "crossmodal_admitted_inputs")).toBe(0);
    expect(readSample(text, "crossmodal_media_bytes")).toBe(0);
    expect(readSample(text, 'crossmodal_jobs{state="running"}')).toBe(0);
    expect(readSample(text, "crossmodal_store_trouble")).toBe(0);
    expect(readSample(text, "crossmodal_disk_free_bytes")).toBeGreaterThan(0);
    expect(readSample(text, "nodejs_eventloop_lag_p99_seconds")).toBeGreaterThanOrEqual(0);
  });

  it("gives clients no labels of their own", async () => {
    const hostile = 'x"} 1\nevil{a="';
    for (const method of ["GET", "POST", "PROPFIND", "DELETE"])
      for (const path of [`/v1/${encodeURIComponent(hostile)}`, "/v1/models/no-such-model-here"])
        await app.request(path, { method, headers: { "x-request-id": "evil" } });
    await app.request("/v1/embeddings", jsonPost({ model: hostile, input: "a" }));
    const text = await metrics();
    expect(text).not.toContain("evil");
    expect(text).not.toContain("no-such-model-here");
  });

  it("names the largest collections, and sums the others", async () => {
    const embedding = [0.6, 0.8];
    for (let i = 0; i <= 101; i++) {
      const name = `c${i}`;
      await app.request("/v1/collections", jsonPost({ name, space: "plain", dimensions: 2 }));
      if (i < 100) continue;
      const item = { embedding, modality: "image" };
      const items = Array.from({ length: i === 100 ? 3 : 1 }, () => item);
      await app.request(`/v1/collections/${name}/items`, jsonPost({ items }));
    }
    const text = await metrics();
    const count = (collection: string) =>
      readSample(text, `crossmodal_collection_items{collection="${collection}",modality="image"}`);
    expect(count("c100")).toBe(3);
    expect(count("c101")).toBe(1);
    const named = text.match(/^crossmodal_collection_indexed_items\{/gm);
    expect(named).toHaveLength(101); // a hundred, and the others
    expect(text).toContain('collection="(others)"');
  });

  it.skipIf(!existsSync(".venv/bin/python"))(
    "is what Prometheus' own parser reads (.venv: test/clients/install.sh)",
    async () => {
      const text = await metrics();
      const program =
        "import sys\n" +
        "from prometheus_client.parser import text_string_to_metric_families as read\n" +
        "print(sum(len(family.samples) for family in read(sys.stdin.read())))";
      const output = await new Promise<string>((resolve, reject) => {
        const child = execFile(".venv/bin/python", ["-c", program], (error, stdout) =>
          error === null ? resolve(stdout) : reject(error),
        );
        child.stdin?.end(text);
      });
      const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      expect(Number(output)).toBe(samples.length);
    },
  );
});
