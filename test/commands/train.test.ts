import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../src/config.js";
import { createLog } from "../../src/log.js";
import { writeNpy } from "../../src/math/npy.js";
import { seededRandom } from "../../src/math/random.js";
import { startServer } from "../../src/server.js";
import { bridgeTexts } from "../../src/training/bridge-texts.js";
import { fixtureLabels } from "../helpers/fixtures.js";
import { runMain } from "../helpers/run-main.js";

// Models and training, on machines that do other things too
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), "crossmodal-train-"));
const dataDir = join(folder, "data");
const fixtures = fileURLToPath(new URL("../../fixtures/", import.meta.url));
const where = ["--data-dir", dataDir];
const dimensions = 384; // of both starter packs

const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await runMain(...args, ...where);
  if (code !== 0) throw new Error(`crossmodal ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
};
const save = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

/**
 * Six labels: a scatters around a direction of its label, b is another one, the same for the label.
 */
function savePairs(count: number) {
  const random = seededRandom(3);
  const direction = () => Array.from({ length: dimensions }, () => random.normal());
  const [centers, names] = [0, 1].map(() => Array.from({ length: 6 }, direction));
  const npy = (of: (i: number) => number[]) =>
    writeNpy({
      shape: [count, dimensions],
      data: Float32Array.from(Array.from({ length: count }, (_, i) => of(i)).flat()),
    });
  return {
    a: save(
      "a.npy",
      npy((i) => centers[i % 6].map((x) => x + 0.5 * random.normal())),
    ),
    b: save(
      "b.npy",
      npy((i) => names[i % 6]),
    ),
    labels: save(
      "labels.txt",
      Array.from({ length: count }, (_, i) => `label ${i % 6}`).join("\n"),
    ),
  };
}

describe("crossmodal train, heads", () => {
  it("trains on .npy files, says what it gained, and writes the page", async () => {
    const { a, b, labels } = savePairs(90);
    const files = ["--a", a, "--b", b, "--labels", labels, "--report", join(folder, "report.html")];
    const options = [
      "--model",
      "starter-clip",
      "--name",
      "own",
      "--epochs",
      "4",
      "--learning-rate",
      "0.003",
      "--screen",
    ];
    const told = await run("train", "--models", "starter-clip", ...files, ...options, "--activate");
    expect(told).toMatch(
      /^own, version 1, active\nHeld-out retrieval improved: mean reciprocal rank/,
    );
    expect(told).toContain("suspicious pairs:");
    expect(told).toMatch(/mean_reciprocal_rank +[01]\.\d+ +[01]\.\d+ +0\.\d+ to 0\.\d+ +better/);
    expect(readFileSync(join(folder, "report.html"), "utf8")).toContain("own, version 1");
  });

  it("lists, shows, exports, imports, activates and deletes, without loading a model", async () => {
    expect(await run("heads")).toMatch(/own +starter-clip +1 +1/);
    const file = join(folder, "own.head");
    await run("heads", "export", "own", "1", file);
    expect(
      JSON.parse(await run("heads", "import", file, "--name", "copy", "--json")),
    ).toMatchObject({ active: false });
    expect(await run("heads", "activate", "copy", "1")).toMatch(
      /1 +active +projection, infonce +image, text .* improved/,
    );
    expect((await runMain("heads", "delete", "copy", ...where)).stderr).toContain(
      "is active with version 1",
    );
    await run("heads", "delete", "copy", "--force");
    expect((await runMain("heads", "show", "copy", ...where)).code).toBe(1);
    expect((await runMain("heads", "rollback", "own", ...where)).stderr).toContain(
      "has no previously active version",
    );
  });

  it("names suspicious pairs by their lines and files", async () => {
    const pairs = Object.entries(fixtureLabels.images).map(([file, label]) => ({
      image: join(fixtures, "images", file),
      text: `a photo of a ${label}`,
    }));
    const again = { ...pairs[0], text: "the evening news on the radio" };
    const lines = [...pairs, again].map((pair) => JSON.stringify(pair)).join("\n");
    const told = await run(
      ...["train", "--models", "starter-clip", "--pairs", save("twice.jsonl", lines)],
      ...["--epochs", "1", "--screen", "--name", "twice"],
    );
    const [, named] = /near duplicate: (.*)/.exec(told) ?? [];
    expect(named).toContain(`line 1: ${pairs[0].image}, ${pairs[0].text}`);
    expect(named).toContain(`line ${pairs.length + 1}: ${again.image}, ${again.text}`);
  });

  it("makes a probe from files that a JSONL names", async () => {
    const lines = Object.entries(fixtureLabels.images).map(([file, label]) =>
      JSON.stringify({ image: join(fixtures, "images", file), label }),
    );
    const pairs = save("items.jsonl", `${lines.join("\n")}\n`);
    const told = await run(
      "train",
      "--models",
      "starter-clip",
      "--kind",
      "probe",
      "--pairs",
      pairs,
      "--name",
      "seen",
    );
    expect(told).toMatch(/^seen, version 1, active\nlabels: /);
  });

  it.each([
    [["train"], /Expected one of --pairs/],
    [["train", "--collection", "photos"], /--collection needs --by/],
    [["train", "--loss", "none"], /argument 'none' is invalid/],
    [
      ["train", "--a", "none.npy", "--b", "none.npy", "--report", "x.txt"],
      /ending in .html or .json/,
    ],
    [["train", "--pairs", "broken.jsonl"], /line 1: expected a JSON object/],
  ])("ends with 2 for %j", async (args, message) => {
    save("broken.jsonl", "no json\n");
    const placed = args.map((arg) => (arg === "broken.jsonl" ? join(folder, arg) : arg));
    // What is wrong with the flags is told before a server is asked.
    const { code, stderr } = await runMain(...placed, "--url", "http://127.0.0.1:1");
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it("does the same at a server, whose data folder no other process may change", async () => {
    const config = {
      ...loadConfig({ environment: {} }),
      dataDir,
      device: "cpu",
      port: 0,
      models: ["starter-clip"],
    };
    const server = await startServer(config, createLog("silent"));
    try {
      const { a, b } = savePairs(24);
      const at = ["--url", server.url, "--json"];
      const { stdout } = await runMain(
        "train",
        "--a",
        a,
        "--b",
        b,
        "--name",
        "own",
        "--epochs",
        "1",
        ...at,
      );
      expect(JSON.parse(stdout.split("\n").at(-1) as string)).toMatchObject({
        head: "own",
        version: 2,
      });
      expect((await runMain("heads", "show", "own", "--url", server.url)).stdout).toMatch(/^ +2 /m);
      const locked = await runMain("heads", "activate", "own", "2", "--force", ...where);
      expect(locked).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("is in use by process"),
      });
    } finally {
      await server.close();
    }
  });
});

describe("crossmodal train --files", () => {
  it("reads a folder for each label, or a CSV with a split, and prints held-out accuracy", async () => {
    const file = (name: string) => join(fixtures, "images", name);
    const rows = ["cat.jpg,cat,train", "horse.png,horse,train", "cat.jpg,cat,train"];
    rows.push("horse.png,horse,train", "rocket.avif,rocket,test");
    const csv = save("pictures.csv", `file,label,split\n${rows.map(file).join("\n")}\n`);
    const made = ["train", "--model", "starter-clip", "--name", "pictures", "--kind", "probe"];
    const lines = await run(...made, "--files", csv);
    expect(lines).toContain("labels: cat, horse"); // the rocket is for a test
    expect(lines).toMatch(/right on held-out items, 4 in 4 folds/);
    const grouped = rows.slice(0, 4).map((row, i) => `${file(row)},film ${i >> 1}`);
    const films = save("films.csv", `file,label,split,group\n${grouped.join("\n")}\n`);
    expect(await run(...made, "--files", films)).toMatch(/held-out items, 4 in 2 folds/);
  });
});

describe("crossmodal bridge, bridges", () => {
  it("learns a bridge from texts, lists it and takes it back", async () => {
    const sentences = bridgeTexts().filter((_, i) => i % 100 === 0);
    const texts = save("texts.txt", sentences.join("\n"));
    const name = "starter-clap-to-starter-clip";
    const config = {
      ...loadConfig({ environment: {} }),
      dataDir: join(folder, "bridged"),
      device: "cpu",
      port: 0,
    };
    const server = await startServer(config, createLog("silent"));
    const ask = async (...args: string[]) => (await runMain(...args, "--url", server.url)).stdout;
    try {
      const learn = ["bridge", "starter-clap", "starter-clip", "--texts", texts];
      const [first, reason] = (await ask(...learn)).split("\n");
      expect(first).toBe(`${name}, version 2, not active`);
      expect(reason).toContain("activate it by hand");
      expect(await ask(...learn, "--force")).toContain(`${name}, version 3, active`);
      expect(await ask("bridges", "deactivate", name)).toContain("not in use");
      await ask("bridges", "activate", name, "2");
      expect(await ask("bridges")).toMatch(
        new RegExp(`${name} +2 +in use +starter-clap@\\w+ +starter-clip@\\w+`),
      );
      await ask("bridges", "deactivate", name);
      await ask("bridges", "rollback", name);
      await ask("bridges", "activate", name, "1");
      expect(await ask("bridges", "show", name)).toMatch(/1 +active +shipped/);
      expect(await ask("bridges", "activate", name, "2")).toMatch(/2 +active +made here +ridge/);
      await ask("bridges", "delete", name);
      expect(await ask("bridges", "show", name)).not.toContain("made here");
    } finally {
      await server.close();
    }
  });
});

describe("crossmodal gap --collection", () => {
  it("exits with 1 for a missing collection, and 2 without files or a collection", async () => {
    expect((await runMain("gap", "--collection", "none", ...where)).code).toBe(1);
    expect((await runMain("gap", ...where)).code).toBe(2);
  });
});
