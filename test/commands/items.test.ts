import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import { loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { type RunningServer, startServer } from "../../src/server.js";
import { runMain } from "../helpers/run-main.js";

let server: RunningServer;
const items = (...args: string[]) => runMain("items", ...args, "--url", server.url);
const idsOf = (stdout: string) => stdout.split("\n").map((line) => JSON.parse(line).id);

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-items-"));
  const config = { ...loadConfig({ environment: {} }), dataDir, models: [], port: 0 };
  server = await startServer(config, createLog("silent"));
  const client = createClient({ url: server.url });
  await client.createCollection({ name: "mine", space: "own@1", dimensions: 2 });
  const added = [...Array(6).keys()].map((i) => ({
    id: `${i < 4 ? "old" : "new"}/${i}`,
    modality: i % 2 === 0 ? ("image" as const) : ("audio" as const),
    space: "own@1",
    embedding: [Math.cos(i), Math.sin(i)],
    metadata: { year: 2000 + i },
    source: `/media/${i}`,
  }));
  await client.addItems("mine", added);
});
afterAll(() => server.close());

describe("crossmodal items", () => {
  it("lists in the order they came, all or the first, by filter, prefix and modality", async () => {
    const { stdout } = await items("list", "mine");
    const [heading, ...rows] = stdout.split("\n");
    expect(heading).toMatch(/^id {5}modality {2}added +metadata or source$/);
    expect(rows).toHaveLength(6);
    expect(rows[0]).toMatch(
      /^old\/0 {2}image {5}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\{"year":2000\}$/,
    );
    expect(idsOf((await items("list", "mine", "--limit", "2", "--json")).stdout)).toEqual([
      "old/0",
      "old/1",
    ]);
    const filter = '{"field": "year", "op": "gte", "value": 2001}';
    const some = ["--id-prefix", "old/", "--modality", "audio", "--filter", filter];
    expect(idsOf((await items("list", "mine", ...some, "--json")).stdout)).toEqual([
      "old/1",
      "old/3",
    ]);
    const none = await items("list", "mine", "--source-prefix", "/elsewhere/");
    expect([none.code, none.stdout]).toEqual([0, "no items"]);
  });

  it("shows what is known about each, and names those that are not there", async () => {
    const { code, stdout, stderr } = await items("show", "mine", "old/0", "x", "--embedding");
    expect(code).toBe(1);
    expect(stdout).toContain('metadata      {"year":2000}');
    expect(stdout).toContain("source        /media/0");
    expect(stdout).toContain("embedding     1 0");
    expect(stderr).toBe('crossmodal: There is no item "x"');
    expect((await items("show", "none", "old/0")).stderr).toContain("There is no collection");
  });

  it("changes metadata by ids and by filter; a dry run changes nothing", async () => {
    const metadata = ["--metadata", '{"seen": true}'];
    const dry = await items("set", "mine", "--id-prefix", "new/", ...metadata, "--dry-run");
    expect(dry.stderr).toBe("dry run, nothing is changed: 2 items of mine");
    const byFilter = await items("set", "mine", "--id-prefix", "new/", ...metadata);
    expect(byFilter.stdout).toBe("mine: 2 changed, 0 unchanged");
    const byIds = await items("set", "mine", "new/4", "old/0", "x", ...metadata);
    expect(byIds).toMatchObject({
      code: 1,
      stdout: "mine: 1 changed, 1 unchanged",
      stderr: 'crossmodal: There is no item "x"',
    });
    await items("set", "mine", "old/0", "--metadata", '{"a": 1}', "--replace");
    expect((await items("show", "mine", "old/0", "--json")).stdout).toContain('"metadata":{"a":1}');
  });

  it("deletes with --yes where nobody can be asked, and never all by an empty choice", async () => {
    const refused = await items("delete", "mine", "--id-prefix", "old/");
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("--yes") });
    expect(refused.stderr).toContain("Delete 4 items of mine");
    for (const choice of [[], ["--id-prefix", ""], ["--source-prefix", "", "old/0"]])
      expect((await items("delete", "mine", ...choice, "--yes")).code).toBe(2);
    const dry = await items("delete", "mine", "--modality", "image", "--dry-run", "--json");
    expect(idsOf(dry.stdout)).toEqual(["old/0", "old/2", "new/4"]);
    const byIds = await items("delete", "mine", "old/1", "x", "--yes");
    expect(byIds).toMatchObject({
      code: 1,
      stdout: "deleted 1 item of mine",
      stderr: 'crossmodal: There is no item "x"',
    });
    const byPrefix = await items("delete", "mine", "--id-prefix", "old/", "--yes", "--json");
    expect(JSON.parse(byPrefix.stdout)).toEqual({ name: "mine", deleted: 3 });
    expect(idsOf((await items("list", "mine", "--json")).stdout)).toEqual(["new/4", "new/5"]);
  });
});
