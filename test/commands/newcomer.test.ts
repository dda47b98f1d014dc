import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { type RunningServer, startServer } from "../../src/server.js";
import { runMain } from "../helpers/run-main.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-newcomer-"));
const at = (...names: string[]) => join(folder, ...names);
let server: RunningServer;
const ask = (...args: string[]) => runMain(...args, "--url", server.url);

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-newcomer-data-"));
  const config = { ...loadConfig({ environment: {} }), dataDir, device: "cpu", port: 0 };
  server = await startServer(config, createLog("silent"));
  mkdirSync(at("goods", "new"), { recursive: true });
  copyFileSync("fixtures/images/cat.jpg", at("goods", "cat.jpg"));
  copyFileSync("fixtures/images/horse.png", at("goods", "new", "horse.png"));
  writeFileSync(at("goods", "plan.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>");
  writeFileSync(at("goods", "list.pdf"), "%PDF-1.4");
  writeFileSync(at("goods", "notes.txt"), "notes");
});
afterAll(() => server.close());

describe("a newcomer's first commands", () => {
  it("loads the model that --model names, and says which are installed where it is not", async () => {
    const classify = ["classify", "fixtures/audio/crow.wav", "--labels", "crow cawing,piano"];
    const where = ["--data-dir", at("data"), "--models", "starter-clip", "--device", "cpu"];
    const { code, stdout } = await runMain(...classify, ...where, "--model", "starter-clap");
    expect([code, stdout]).toEqual([0, expect.stringContaining("(starter-clap)")]);
    const other = await runMain(...classify, ...where, "--model", "my-clip");
    expect([other.code, other.stderr]).toEqual([
      1,
      expect.stringMatching(/"my-clip" is installed; .*starter-clap, starter-clip/),
    ]);
  });

  it("says of a folder of folders what was not looked into, and of each format what it is", async () => {
    const { code, stdout } = await ask("add", "top", folder, "--create", "--model", "starter-clip");
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^top: 0 stored; left out: \d folders? \(--recursive looks into them\)$/,
      ),
    ]);
    const inside = await ask("add", "top", at("goods"));
    expect(inside.stdout).toBe(
      "top: 1 stored; left out: 1 PDF file (not supported), 1 folder (--recursive looks into " +
        "them), 1 other file, 1 SVG drawing (not supported)",
    );
    const named = [at("goods", "plan.svg"), at("goods", "list.pdf"), at("goods", "notes.txt")];
    const classified = await ask("classify", ...named, "--labels", "a,b");
    expect(classified.code).toBe(1);
    for (const why of [
      "SVG drawings are not supported",
      "PDF files are not supported",
      "not a picture or sound in a supported format",
    ])
      expect(classified.stderr).toContain(why);
  });

  it("takes metadata of single files from a table, and changed ones without embedding again", async () => {
    const add = ["add", "goods", at("goods"), "--recursive"];
    const table = (...rows: string[]) => {
      writeFileSync(at("goods.csv"), ["file,price,code", ...rows].join("\n"));
      return ["--metadata-file", at("goods.csv"), "--metadata", '{"shop": "a"}'];
    };
    const first = await ask(
      ...[...add, "--create", "--model", "starter-clip"],
      ...table("goods/cat.jpg,9.5,007", "goods/gone.jpg,1,x"),
    );
    expect(first.stdout).toMatch(/^goods: 2 stored; /);
    expect(first.stderr.split("\n")).toEqual([
      "1 row of goods.csv not used: goods/gone.jpg",
      "1 file without a row in goods.csv",
    ]);
    const again = await ask(...add, ...table("goods/cat.jpg,12,007", "goods/new/horse.png,3,8"));
    expect(again.stdout).toMatch(/^goods: 0 stored, 2 with changed metadata; /);
    expect(again.stderr).toBe("");
    const items = (await ask("items", "list", "goods", "--json")).stdout.split("\n");
    expect(items.map((line) => JSON.parse(line).metadata)).toEqual([
      { shop: "a", price: 12, code: "007" },
      { shop: "a", price: 3, code: "8" },
    ]);
  });

  it("names the data folder where there is none, and makes none to look into", async () => {
    const where = ["--data-dir", at("nowhere")];
    const listed = await runMain("collections", ...where);
    expect([listed.code, listed.stdout]).toEqual([
      0,
      expect.stringContaining(`no collections in "${at("nowhere")}"`),
    ]);
    const searched = await runMain("search", "photos", "--text", "a", ...where);
    expect([searched.code, searched.stderr]).toEqual([1, expect.stringContaining(at("nowhere"))]);
    expect(existsSync(at("nowhere"))).toBe(false);
  });

  it("says what a collection of vectors of one's own takes, when a text is added", async () => {
    const own = ["collections", "create", "own", "--space", "s@1", "--dimensions", "2"];
    expect((await ask(...own)).code).toBe(0);
    const response = await fetch(`${server.url}/v1/collections/own/items`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: "a", text: "a cat" }),
    });
    expect(await response.text()).toContain("it takes embeddings, and is searched by embedding");
  });

  it("prints one JSON object a line, and no line for each step of a job", async () => {
    const pairs = Array.from({ length: 8 }, (_, i) => ({ text: `text ${i}`, file: "cat.jpg" }));
    copyFileSync("fixtures/images/cat.jpg", at("cat.jpg"));
    writeFileSync(at("eight.jsonl"), pairs.map((pair) => JSON.stringify(pair)).join("\n"));
    const train = ["train", "--model", "starter-clip", "--name", "eight", "--epochs", "3"];
    const trained = await ask(...train, "--pairs", at("eight.jsonl"));
    expect(trained.code, trained.stderr).toBe(0);
    // A line each half minute at most
    expect(trained.stderr.split("\n").filter((line) => /running/.test(line)).length).toBeLessThan(
      4,
    );
    for (const [name, texts] of [
      ["a", pairs.map(({ text }) => text)],
      ["b", pairs.map(({ text }) => `other ${text}`)],
    ] as const) {
      writeFileSync(at(`${name}.txt`), texts.join("\n"));
      const embed = ["embed", "--texts", at(`${name}.txt`), "--model", "starter-clip"];
      expect((await ask(...embed, "--out", at(`${name}.npy`))).code).toBe(0);
    }
    const gap = await runMain("gap", at("a.npy"), at("b.npy"), "--json");
    expect(gap.stdout.split("\n")).toHaveLength(1);
    expect(JSON.parse(gap.stdout)).toMatchObject({ items: { a: 8, b: 8 } });
  });

  it("tags stored items anew, and writes sidecars of them", async () => {
    const before = await ask("tag", "--collection", "goods", "--xmp");
    expect([before.code, before.stderr]).toEqual([
      1,
      expect.stringContaining('No item of goods has tags in "tags"'),
    ]);
    const classify = ["collections", "classify", "goods", "--labels", "cat,horse"];
    const all = await ask(...classify);
    expect([all.code, all.stdout.split("\n")]).toEqual([
      0,
      ["goods: 2 of 2 items have labels", "label  items", "cat        1", "horse      1"],
    ]);
    const one = await ask(...classify, "--id-prefix", "new/", "--field", "kind", "--json");
    expect(JSON.parse(one.stdout.split("\n").at(-1)!)).toMatchObject({
      items: 1,
      counts: { horse: 1 },
    });
    const { stdout } = await ask("items", "show", "goods", "new/horse.png", "--json");
    const labels = ["horse"];
    expect(JSON.parse(stdout).metadata).toMatchObject({ tags: { labels }, kind: { labels } });
    const written = await ask("tag", "--collection", "goods", "--xmp");
    expect(written.stdout).toBe("goods: 2 sidecars written, 0 unchanged");
    expect(readFileSync(at("goods", "cat.jpg.xmp"), "utf8")).toContain(":Label>cat<");
    expect((await ask("collections", "classify", "goods")).stderr).toContain("Expected --labels");
  });

  it("classifies folders, and writes the scores as CSV or lines", async () => {
    const classify = ["classify", at("goods"), "--recursive", "--labels", '["cat", "a, b"]'];
    const csv = await ask(...classify, "--out", at("scores.csv"));
    expect([csv.code, csv.stdout]).toEqual([0, `scores of 2 inputs to ${at("scores.csv")}`]);
    expect(csv.stderr).toMatch(/^left out: .*1 PDF file /);
    const [head, ...rows] = readFileSync(at("scores.csv"), "utf8").trimEnd().split("\n");
    expect(head).toBe("file,start_seconds,end_seconds,label,score,known");
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatch(new RegExp(`^${at("goods", "cat.jpg")},,,cat,0\\.\\d+,$`));
    expect(rows[1]).toContain(',"a, b",');
    expect((await ask(...classify, "--out", at("scores.csv"))).stderr).toContain("--force");
    const lines = await ask(...classify, "--out", at("scores.jsonl"));
    expect(lines.code).toBe(0);
    const [answer] = readFileSync(at("scores.jsonl"), "utf8").split("\n");
    expect(JSON.parse(answer)).toMatchObject({
      file: at("goods", "cat.jpg"),
      model: "starter-clip",
    });
    const none = await ask(
      "classify",
      at("goods", "list.pdf"),
      "--labels",
      "a",
      "--out",
      at("x.csv"),
    );
    expect([none.code, none.stdout]).toEqual([1, ""]);
  });

  it.each([
    [["classify", "a.jpg", "--labels", "a", "--out", "a.txt"], "ending in .csv or .jsonl"],
    [["classify", "a.jpg", "--labels", "a", "--force"], "--force is for --out"],
    [["classify", "fixtures/images/cat.jpg", "--labels", "a", "--template", "a"], "--template"],
    [["add", "goods", "fixtures/images", "--metadata-file", "none.csv"], "none.csv: no such file"],
    [["train", "--model", "starter-clip", "--name", "x", "--pairs", "PAIRS"], "line 2: expected"],
  ])("ends with 2 at %j", async (args, message) => {
    writeFileSync(at("pairs.jsonl"), '{"text": "a"}\n{"id": "b"}\n');
    const paths = args.map((arg) => (arg === "PAIRS" ? at("pairs.jsonl") : arg));
    const { code, stderr } = await ask(...paths);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
