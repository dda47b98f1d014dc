import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import { loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { readNpy } from "../../src/math/npy.js";
import { type RunningServer, startServer } from "../../src/server.js";
import { runMain } from "../helpers/run-main.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-embed-"));
const media = join(folder, "media");
const at = (name: string) => join(folder, name);
let server: RunningServer;
const embed = (...args: string[]) => runMain("embed", ...args, "--url", server.url);
const rowsOf = (path: string) => {
  const { shape, data } = readNpy(readFileSync(path));
  return Array.from({ length: shape[0] }, (_, i) =>
    Array.from(data.subarray(i * shape[1], (i + 1) * shape[1])),
  );
};
const linesOf = (path: string) =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  const config = {
    ...loadConfig({ environment: {} }),
    dataDir: at("data"),
    device: "cpu",
    port: 0,
  };
  server = await startServer(config, createLog("silent"));
  mkdirSync(join(media, "deep"), { recursive: true });
  copyFileSync("fixtures/images/cat.jpg", join(media, "cat.jpg"));
  copyFileSync("fixtures/images/clock.webp", join(media, "deep", "clock.webp"));
  copyFileSync("fixtures/audio/sheep.flac", join(media, "sheep.flac"));
  writeFileSync(join(media, "notes.txt"), "a note");
});
afterAll(() => server.close());

describe("crossmodal embed --out", () => {
  it("writes a folder's rows as the server embeds them, and what each is beside them", async () => {
    const out = at("images.npy");
    const result = await embed(media, "--recursive", "--model", "starter-clip", "--out", out);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(
      /^2 embeddings of starter-clip@\S+ to \S+images\.npy and \S+\.jsonl$/,
    );
    expect(result.stderr).toMatch(/^left out: 1 other file, 1 sound \(the model does not/);
    const [cat, clock] = rowsOf(out);
    expect(linesOf(at("images.jsonl"))).toMatchObject([
      { input: join(media, "cat.jpg"), modality: "image", model: "starter-clip" },
      { input: join(media, "deep", "clock.webp"), modality: "image" },
    ]);
    const client = createClient({ url: server.url });
    for (const [row, name] of [
      [cat, "cat.jpg"],
      [clock, "clock.webp"],
    ] as const) {
      const input = readFileSync(`fixtures/images/${name}`).toString("base64");
      const { data } = await client.embeddings({ input, modality: "image", model: "starter-clip" });
      expect(row).toEqual(data[0].embedding);
    }
    expect((await embed(media, "--out", out, "--model", "starter-clip")).stderr).toContain(
      "--force",
    );
  });

  it("keeps the order of lists, in .npy, .csv and .jsonl alike", async () => {
    writeFileSync(at("list.txt"), "media/deep/clock.webp\nmedia/cat.jpg\n");
    writeFileSync(at("texts.txt"), 'a cat\na "clock", old\n');
    const outs = ["x.npy", "x.csv", "rows.jsonl"].map(at);
    for (const out of outs)
      expect(
        (
          await embed(
            "--texts",
            at("texts.txt"),
            "--list",
            at("list.txt"),
            "--model",
            "starter-clip",
            "--out",
            out,
          )
        ).code,
      ).toBe(0);
    const rows = rowsOf(outs[0]);
    const [head, , quoted, , last] = readFileSync(outs[1], "utf8").split("\n");
    expect(head).toMatch(/^input,modality,0,1,2,.*,383$/);
    expect(quoted).toMatch(/^"a ""clock"", old",text,/);
    expect(last.split(",").slice(2).map(Number)).toEqual(rows[3]);
    const lines = linesOf(outs[2]);
    expect(lines.map(({ embedding }) => embedding)).toEqual(rows);
    expect(lines.map(({ input }) => input.replace(/.*\//, ""))).toEqual([
      "a cat",
      'a "clock", old',
      "clock.webp",
      "cat.jpg",
    ]);
  });

  it("writes rows of one space, names what failed, and leaves nothing half-written", async () => {
    const mixed = await embed(
      join(media, "cat.jpg"),
      join(media, "sheep.flac"),
      "--out",
      at("m.npy"),
    );
    expect(mixed.code).toBe(2);
    expect(mixed.stderr).toMatch(/sheep\.flac is in the space starter-clap@.*choose one --model/);
    expect(rowsOf(at("m.npy"))).toHaveLength(1);
    const none = await embed(at("none.jpg"), "--out", at("none.npy"));
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain("none.jpg: no such file");
    expect(readdirSync(folder).filter((name) => /none|\.part/.test(name))).toEqual([]);
  });

  it.each([
    [["--out", "rows.txt", "--text", "a"], "ending in .npy, .csv or .jsonl"],
    [["--force", "--text", "a"], "--force is for --out"],
    [["--text", "a", "--head", "none"], "none"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await embed(...args);
    expect([code !== 0, stderr]).toEqual([true, expect.stringContaining(message)]);
  });
});
