import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/client.js";
import { loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { decodeAudio } from "../../src/media/audio/decode-audio.js";
import { type RunningServer, startServer } from "../../src/server.js";
import { runMain } from "../helpers/run-main.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-tag-"));
const at = (...names: string[]) => join(folder, ...names);
const limits = { maxSeconds: 60 };
let server: RunningServer;
const tag = (...args: string[]) => runMain("tag", ...args, "--url", server.url);

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-tag-data-"));
  const config = { ...loadConfig({ environment: {} }), dataDir, device: "cpu", port: 0 };
  server = await startServer(config, createLog("silent"));
  copyFileSync("fixtures/images/cat.jpg", at("cat.jpg"));
  copyFileSync("fixtures/audio/crow.wav", at("crow.wav"));
  writeFileSync(at("bad.jpg.xmp"), "no XMP");
});
afterAll(() => server.close());

describe("crossmodal tag", () => {
  it("writes sidecars beside pictures and sounds, and leaves them when nothing changed", async () => {
    const args = [folder, "--labels", "cat,crow cawing,piano", "--xmp", "--json"];
    const { code, stdout } = await tag(...args);
    expect(code).toBe(0);
    const [cat, crow] = stdout.split("\n").map((line) => JSON.parse(line));
    expect(cat).toMatchObject({ tags: [{ label: "cat" }], written: [at("cat.jpg.xmp")] });
    expect(crow).toMatchObject({ tags: [{ label: "crow cawing" }] });
    expect(readFileSync(at("cat.jpg.xmp"), "utf8")).toMatch(
      /:Label>cat<.*\n?.*:Confidence>[01]\.\d{4}</,
    );
    const again = (await tag(...args)).stdout.split("\n").map((line) => JSON.parse(line));
    expect(again.map(({ written }) => written)).toEqual([[], []]);
  });

  it("writes tables of a sound's events, and cuts them out", async () => {
    const args = [at("crow.wav"), "--labels", "crow cawing,piano"];
    const out = [
      "--events",
      "raven",
      "--events",
      "csv",
      "--clips",
      at("clips"),
      "--out",
      at("tables"),
    ];
    const { code, stdout } = await tag(...args, ...out);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/crow cawing \d\.\d+; 1 event$/)]);
    expect(readdirSync(at("tables")).sort()).toEqual([
      "crow.wav.events.csv",
      "crow.wav.selections.txt",
    ]);
    const [, row] = readFileSync(at("tables", "crow.wav.events.csv"), "utf8").split("\n");
    const [file, start, end, label] = row.split(",");
    expect([file, start, label]).toEqual(["crow.wav", "0.000", "crow cawing"]);
    const [clip] = readdirSync(at("clips", "crow cawing"));
    const cut = await decodeAudio(readFileSync(at("clips", "crow cawing", clip)), limits);
    const whole = await decodeAudio(readFileSync(at("crow.wav")), limits);
    expect(cut.sampleRateHz).toBe(whole.sampleRateHz);
    const length = Math.min(whole.samples.length, Math.round(Number(end) * whole.sampleRateHz));
    expect(cut.samples).toHaveLength(length);
    for (let i = 0; i < length; i += 97)
      expect(Math.abs(cut.samples[i] - whole.samples[i])).toBeLessThanOrEqual(1 / 32768);
    expect((await tag(...args, ...out)).stderr).toContain("--force");
    expect((await tag(...args, ...out, "--force")).code).toBe(0);
  });

  it("cuts out what has a long name in a file of 255 bytes at most, each in its own", async () => {
    const label = "鳴くカラス、".repeat(30);
    const [one, other] = ["1", "2"].map((end) => `${"鳥".repeat(70)}${end}.wav`);
    mkdirSync(at("long"));
    for (const name of [one, other]) copyFileSync("fixtures/audio/crow.wav", at("long", name));
    const flags = ["--labels", label, "--clips", at("long-clips")];
    const { code, stderr } = await tag(at("long"), ...flags);
    expect([code, stderr]).toEqual([0, ""]);
    const [cut] = readdirSync(at("long-clips"));
    expect(label.startsWith(cut.slice(0, -9))).toBe(true);
    const clips = readdirSync(at("long-clips", cut));
    expect(clips).toHaveLength(2);
    for (const name of [cut, ...clips]) expect(Buffer.byteLength(name)).toBeLessThan(256);
  });

  it("cuts out nothing of a file outside that takes a sound's place meanwhile", async () => {
    mkdirSync(at("swapped"));
    const sound = at("swapped", "crow.wav");
    copyFileSync("fixtures/audio/crow.wav", sound);
    const proxy = createServer(async (request, response) => {
      const body = request.method === "POST" ? await buffer(request) : undefined;
      if (body !== undefined) {
        rmSync(sound);
        symlinkSync(at("crow.wav"), sound);
      }
      const answer = await fetch(server.url + request.url, {
        method: request.method,
        headers: { "content-type": "application/json" },
        body,
      });
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(await answer.text());
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const flags = ["--labels", "crow cawing,piano", "--clips", at("swapped-clips"), "--url", url];
    const { code, stderr } = await runMain("tag", at("swapped"), ...flags);
    proxy.close();
    expect([code, stderr]).toEqual([1, expect.stringContaining("outside the folder")]);
    expect(existsSync(at("swapped-clips"))).toBe(false);
  });

  it("reads no sidecar by a link, and waits for no pipe in its place", async () => {
    const outside = at("outside.xmp");
    copyFileSync(at("cat.jpg.xmp"), outside);
    for (const [name, put] of [
      ["link", (path: string) => symlinkSync(outside, path)],
      ["pipe", (path: string) => execFileSync("mkfifo", [path])],
    ] as const) {
      mkdirSync(at(name));
      copyFileSync("fixtures/images/cat.jpg", at(name, "cat.jpg"));
      put(at(name, "cat.jpg.xmp"));
      const { code, stderr } = await tag(at(name), "--labels", "cat,dog", "--xmp");
      expect([code, stderr]).toEqual([1, expect.stringContaining("cat.jpg.xmp is left unchanged")]);
    }
  });

  it("writes what classifying a collection has found, and names items without a file", async () => {
    const client = createClient({ url: server.url });
    await client.createCollection({ name: "own", space: "own@1", dimensions: 1 });
    const tags = { labels: ["car"], scores: [0.75], by: "starter-clip@1" };
    const item = { modality: "image" as const, embedding: [1], metadata: { tags } };
    copyFileSync("fixtures/images/cat.jpg", at("bad.jpg"));
    await client.addItems("own", [
      { ...item, id: "a", source: at("cat.jpg") },
      { ...item, id: "b", source: at("gone.jpg") },
      { ...item, id: "c", source: at("bad.jpg") },
      { ...item, id: "d", metadata: {} },
    ]);
    const { code, stdout, stderr } = await tag("--collection", "own", "--xmp");
    expect([code, stdout]).toEqual([1, "own: 1 sidecar written, 0 unchanged"]);
    expect(stderr.split("\n")).toEqual([
      "crossmodal: b: its file is not on this machine",
      expect.stringMatching(/c: .*bad\.jpg\.xmp is left unchanged: it is not XM/),
    ]);
    expect(readFileSync(at("cat.jpg.xmp"), "utf8")).toContain(":Confidence>0.7500<");
    expect(readFileSync(at("bad.jpg.xmp"), "utf8")).toBe("no XMP");
  });

  it.each([
    [["x.jpg", "--labels", "a"], "Nothing to write"],
    [["--labels", "a", "--xmp"], "Nothing to tag"],
    [["x.jpg", "--xmp"], "Expected --labels"],
    [["x.jpg", "--labels", "a", "--xmp", "--out", "d"], "--out is for --events"],
    [["x.wav", "--labels", "a", "--xmp", "--multi-label"], "--multi-label needs"],
    [["x.jpg", "--collection", "own", "--xmp"], "either files or --collection"],
    [["--collection", "own", "--clips", "d"], "written as --xmp"],
    [["x.wav", "--labels", "a", "--events", "midi"], "raven, audacity, csv"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await tag(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
