import { spawn } from "node:child_process";
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
import { loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { readNpy } from "../../src/math/npy.js";
import { type RunningServer, startServer } from "../../src/server.js";
import { runMain } from "../helpers/run-main.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-collections-"));
const dataDir = join(folder, "data");
const media = join(folder, "media");
let server: RunningServer;

/** A command against the running server. */
const cli = (...args: string[]) => runMain(...args, "--url", server.url);
const jsonLines = (text: string) => text.split("\n").map((line) => JSON.parse(line));

beforeAll(async () => {
  const config = { ...loadConfig({ environment: {} }), dataDir, device: "cpu", port: 0 };
  server = await startServer(config, createLog("silent"));
  mkdirSync(join(media, "animals"), { recursive: true });
  for (const [from, to] of [
    ["images/cat.jpg", "animals/cat.jpg"],
    ["images/horse.png", "animals/horse.png"],
    ["images/coffee.webp", "coffee.webp"],
    ["audio/sheep.flac", "sheep.flac"],
  ]) {
    copyFileSync(`fixtures/${from}`, join(media, to));
  }
  writeFileSync(join(media, "notes.txt"), "neither picture nor sound");
  writeFileSync(join(media, "animals", "cat.jpg.json"), '{"name": "Chelsea"}');
});
afterAll(() => server.close());

describe("crossmodal collections", () => {
  it("makes, lists, shows and deletes; deleting asks for --yes", async () => {
    expect(
      await cli("collections", "create", "photos", "--model", "starter-clip", "--fields", "year"),
    ).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("created photos: starter-clip@"),
    });
    await cli("collections", "create", "mine", "--space", "my-model@1", "--dimensions", "4");
    expect(
      (await cli("collections", "create", "mine", "--space", "a", "--dimensions", "4")).code,
    ).toBe(1);
    expect((await cli("collections")).stdout.split("\n")).toEqual([
      "name    items  model         dimensions  index",
      "mine        0  my-model@1             4  none",
      "photos      0  starter-clip         384  none",
    ]);
    expect(jsonLines((await cli("collections", "list", "--json")).stdout)).toMatchObject([
      { name: "mine", model: null },
      { name: "photos", fields: ["year"] },
    ]);
    expect((await cli("collections", "info", "photos")).stdout).toMatch(
      /^indexed fields {2}year$/m,
    );
    expect(await cli("collections", "delete", "mine")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--yes"),
    });
    expect((await cli("collections", "delete", "mine", "--yes")).stdout).toBe(
      "deleted mine with 0 items",
    );
    expect((await cli("collections", "info", "mine")).code).toBe(1);
  });
});

describe("crossmodal add", () => {
  it("adds a folder's pictures with metadata and sidecars, and skips them the next time", async () => {
    const add = [
      "add",
      "photos",
      media,
      "--recursive",
      "--metadata",
      '{"year": 2021}',
      "--sidecar",
    ];
    const first = await cli(...add);
    expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/^photos: 3 stored; /)]);
    expect(first.stdout).toContain(
      "1 sound (starter-clip does not embed them; --modality image,audio adds them over a bridge)",
    );
    expect(first.stdout).toContain("2 other files");
    expect((await cli(...add)).stdout).toMatch(/^photos: 0 stored, 3 unchanged; left out: /);
    writeFileSync(join(media, "animals", "cat.jpg.json"), '{"name": "Chelsea", "year": 2013}');
    const again = jsonLines((await cli(...add, "--json")).stdout);
    expect(again.sort((a, b) => (a.id < b.id ? -1 : 1))).toMatchObject([
      { id: "animals/cat.jpg", status: "updated" },
      { id: "animals/horse.png", status: "unchanged" },
      { id: "coffee.webp", status: "unchanged" },
    ]);
  });

  it("merges the given metadata, keeps the rest, and embeds nothing for it", async () => {
    const metadataOf = async () => {
      const query = ["search", "photos", "--item", "coffee.webp", "--top-k", "2", "--json"];
      const { results } = JSON.parse((await cli(...query)).stdout) as {
        results: { id: string; metadata: object }[];
      };
      return results.find(({ id }) => id === "animals/cat.jpg")?.metadata;
    };
    const before = await metadataOf();
    expect(before).toMatchObject({ name: "Chelsea" });
    const add = ["add", "photos", media, "--recursive"];
    expect((await cli(...add)).stdout).toMatch(/^photos: 0 stored, 3 unchanged;/);
    expect(await metadataOf()).toEqual(before);
    const dry = await cli(...add, "--metadata", '{"owner":"me"}', "--dry-run");
    expect(dry.stdout).toMatch(/^dry run, nothing is changed: photos: 0 stored, 3 with changed/);
    expect(await metadataOf()).toEqual(before);
    const told = await cli(...add, "--metadata", '{"owner":"me"}', "--verbose");
    expect(told.stdout).toMatch(/^updated +\S*cat\.jpg$/m);
    expect(told.stdout).toMatch(/^left out +\S*sheep\.flac {2}\(sounds, starter-clip does not/m);
    expect(await metadataOf()).toEqual({ ...before, owner: "me" });
    await cli(...add, "--metadata", '{"owner":null}');
    expect(await metadataOf()).toEqual(before);
  });

  it.each<[string[], string]>([
    [["photos", media, "--head", "x"], "--head is for a new collection"],
    [["photos", media, "--model", "starter-clip"], "--model is for a new collection"],
    [["photos", media, "--create", "--model", "starter-clap"], "already exists, with starter-clip"],
    [["photos", media, "--modality", "text,image"], "Expected image, audio or image,audio"],
    [["photos", "-", "--recursive"], "--recursive is for files"],
  ])("refuses options that would do nothing: %j", async (args, message) => {
    const { code, stderr } = await cli("add", ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it("stays in the folder without --recursive, and puts --id-prefix before the ids", async () => {
    const { stdout } = await cli("add", "photos", media, "--id-prefix", "second/", "--json");
    expect(jsonLines(stdout)).toMatchObject([
      { id: "second/coffee.webp", path: join(media, "coffee.webp") },
    ]);
  });

  it("adds what it can, lists bad files with their reasons at the end, and exits with 1", async () => {
    const bad = join(folder, "bad");
    mkdirSync(bad);
    copyFileSync("fixtures/images/clock.webp", join(bad, "b.webp"));
    writeFileSync(join(bad, "a.jpg"), readFileSync("fixtures/images/cat.jpg").subarray(0, 2000));
    writeFileSync(join(bad, "c.png"), "no picture");
    writeFileSync(join(bad, "d.gif"), "");
    writeFileSync(join(bad, "e.heic"), Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1"));
    const { code, stdout, stderr } = await cli(
      "add",
      "photos",
      bad,
      join(folder, "none"),
      join(bad, "b.webp"),
    );
    expect([code, stdout]).toEqual([1, "photos: 1 stored, 6 failed"]);
    expect(stderr).toMatch(/a\.jpg: .*corrupt or cut short/);
    expect(stderr).toContain("c.png: not a picture or sound");
    expect(stderr).toContain("d.gif: the file is empty");
    expect(stderr).toContain("e.heic: HEIC pictures are read by libheif");
    expect(stderr).toContain("none: no such file");
    expect(stderr).toContain('b.webp: another file of this run already has the id "b.webp"');
  });

  it("stops at an error that every file would meet, and still lists earlier bad files", async () => {
    const few = join(folder, "few");
    mkdirSync(few);
    writeFileSync(join(few, "a.png"), "no picture");
    for (const name of ["b.jpg", "c.jpg"]) copyFileSync("fixtures/images/cat.jpg", join(few, name));
    const { code, stdout, stderr } = await cli(
      "add",
      "own",
      few,
      "--create",
      "--space",
      "own@1",
      "--dimensions",
      "4",
    );
    expect([code, stdout]).toEqual([1, "own: 0 stored, 1 failed"]);
    expect(stderr.split("\n")).toEqual([
      expect.stringContaining("a.png: not a picture or sound"),
      expect.stringContaining('The collection "own" is in the space "own@1"'),
    ]);
    await cli("collections", "delete", "own", "--yes");
  });

  it("says how to make a missing collection, and makes it with --create", async () => {
    const missing = await cli("add", "sounds", join(media, "sheep.flac"));
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("crossmodal collections create sounds"),
    });
    const { stdout } = await cli("add", "sounds", media, "--create", "--model", "starter-clap");
    expect(stdout).toBe(
      "sounds: 1 stored; left out: 1 folder (--recursive looks into them), 1 picture " +
        "(starter-clap does not embed them; --modality image,audio adds them over a bridge), 1 " +
        "other file",
    );
  });
});

describe("crossmodal search", () => {
  it("finds by text, picture, sound and item, and prints the path it took", async () => {
    const byText = await cli("search", "photos", "--text", "a cat", "--top-k", "1");
    expect(byText.stdout).toMatch(
      /^ +1 +0\.\d{3} +animals\/cat\.jpg +image +\{"year":2013,"name":"Chelsea"\}$/m,
    );
    expect(byText.stdout).toContain("path: starter-clip/text");
    const byImage = await cli(
      "search",
      "photos",
      "--image",
      join(media, "coffee.webp"),
      "--top-k",
      "1",
      "--json",
    );
    expect(JSON.parse(byImage.stdout)).toMatchObject({
      path: ["starter-clip/image"],
      results: [{ modality: "image" }],
    });
    const bySound = await cli("search", "photos", "--audio", join(media, "sheep.flac"));
    expect(bySound.stdout).toContain(
      "path: starter-clap/audio > bridge/starter-clap-to-starter-clip@1",
    );
    const byItem = await cli(
      "search",
      "photos",
      "--item",
      "coffee.webp",
      "--min-similarity",
      "0.99",
      "--json",
    );
    expect(JSON.parse(byItem.stdout).results.map(({ id }: { id: string }) => id)).toEqual([
      "second/coffee.webp",
    ]);
  });

  it("filters, and tells wrong usage with 2", async () => {
    const filter = '{"field": "year", "op": "eq", "value": 2021}';
    const found = await cli(
      "search",
      "photos",
      "--text",
      "x",
      "--filter",
      filter,
      "--json",
      "--recall",
      "exact",
    );
    expect(JSON.parse(found.stdout).results).toHaveLength(2);
    for (const args of [
      [],
      ["--text", "a", "--item", "b"],
      ["--text", "a", "--filter", '{"field": "year"}'],
    ]) {
      expect((await cli("search", "photos", ...args)).code).toBe(2);
    }
    expect(await cli("search", "photos", "--audio", join(media, "coffee.webp"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("give it as --image"),
    });
  });
});

describe("crossmodal export and import", () => {
  const file = join(folder, "photos.ndjson");
  const prefix = join(folder, "photos");
  const linesOf = (path: string) => readFileSync(path, "utf8").trimEnd().split("\n").sort();

  it("give back every item as it was, as NDJSON and as .npy with JSONL", async () => {
    expect((await cli("export", "photos", "--out", file)).stdout).toBe(
      `photos: 5 items to ${file}`,
    );
    expect((await cli("export", "photos", "--npy", prefix)).code).toBe(0);
    const { shape, data } = readNpy(readFileSync(`${prefix}.npy`));
    expect(shape).toEqual([5, 384]);
    const [first] = readFileSync(file, "utf8").split("\n");
    expect(Array.from(data.subarray(0, 384))).toEqual(JSON.parse(first).embedding);

    const copy = join(folder, "copy.ndjson");
    for (const from of [[file], ["--npy", prefix]]) {
      const result = await cli("import", "copy", ...from, "--create", "--model", "starter-clip");
      expect(result).toMatchObject({ code: 0, stdout: "copy: 5 stored" });
      expect((await cli("export", "copy", "--out", copy, "--force")).code).toBe(0);
      expect(linesOf(copy)).toEqual(linesOf(file));
      await cli("collections", "delete", "copy", "--yes");
    }
  });

  it("replace no file without --force, and leave nothing half-written behind", async () => {
    expect(await cli("export", "photos", "--out", file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--force"),
    });
    expect((await cli("export", "photos", "--npy", prefix)).code).toBe(1);
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("refuse embeddings of another space, and rows that do not belong to the lines", async () => {
    await cli("collections", "create", "other", "--space", "my-model@1", "--dimensions", "384");
    const wrong = await cli("import", "other", file);
    expect(wrong).toMatchObject({ code: 1, stdout: "other: 0 stored, 5 failed" });
    expect(wrong.stderr).toContain("starter-clip@");
    writeFileSync(join(folder, "short.jsonl"), '{"id": "a", "modality": "image"}\n');
    copyFileSync(`${prefix}.npy`, join(folder, "short.npy"));
    expect((await cli("import", "other", "--npy", join(folder, "short"))).stderr).toContain(
      "fewer than",
    );
    await cli("collections", "delete", "other", "--yes");
  });
});

describe("crossmodal backup, restore and compact", () => {
  const file = join(folder, "backup.sqlite");

  it("copies a running server's collections and puts them into another data folder", async () => {
    expect((await cli("compact")).stdout).toBe("compacted");
    expect((await cli("backup", file)).stdout).toMatch(/backup\.sqlite: \d+ bytes, verified/);
    expect((await cli("backup", file)).code).toBe(1);
    expect((await cli("backup", file, "--force")).code).toBe(0);
    const other = join(folder, "other");
    expect((await runMain("restore", file, "--data-dir", other)).code).toBe(0);
    expect(await runMain("restore", file, "--data-dir", other)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--force"),
    });
    const { stdout } = await runMain("collections", "--data-dir", other, "--json");
    expect(jsonLines(stdout)).toMatchObject([
      { name: "photos", count: 5 },
      { name: "sounds", count: 1 },
    ]);
    expect(readdirSync(folder).filter((name) => /\.part|-wal|-shm/.test(name))).toEqual([]);
  });

  it("refuses to restore over a folder that a server uses, and a damaged file", async () => {
    const inUse = await runMain("restore", file, "--data-dir", dataDir, "--force");
    expect(inUse).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`process ${process.pid}`),
    });
    const damaged = join(folder, "damaged.sqlite");
    writeFileSync(damaged, readFileSync(file).subarray(0, 20_000));
    const refused = await runMain("restore", damaged, "--data-dir", join(folder, "none"));
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("damaged") });
  });
});

describe("a second process", () => {
  const start = (...args: string[]) =>
    spawn(process.execPath, ["--import", "tsx", "src/cli.ts", ...args], {
      env: { PATH: process.env.PATH },
    });
  const textOf = (stream: NodeJS.ReadableStream) => {
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    return () => text;
  };

  it("on a data folder in use is refused with the pid of the first and the way to it", async () => {
    const child = start("collections", "--data-dir", dataDir);
    const stderr = textOf(child.stderr);
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(1);
    expect(stderr()).toMatch(
      new RegExp(`^crossmodal: .* in use by process ${process.pid}; .*--url\\n$`),
    );
  });

  it("streams items from stdin, reports each once it is stored, and stops cleanly at Ctrl-C", async () => {
    const child = start("add", "photos", "-", "--url", server.url);
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
    child.stdin.write('{"id": "bus", "text": "a red bus"}\n');
    await expect.poll(stdout, { timeout: 20_000 }).toContain('"id":"bus","status":"stored"');
    child.stdin.write("no json\n");
    await expect.poll(stdout, { timeout: 20_000 }).toContain('"line":2');
    child.kill("SIGINT");
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(1);
    expect(stderr()).toContain("photos: 1 stored, 1 failed");
    expect(stderr()).toContain("stopped");
  });
});
