import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { goldenPath } from "../helpers/golden.js";
import { serve } from "../helpers/serve.js";

const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-cli-"));

/** Runs the command line from source, as a user runs dist/cli.js. */
function crossmodal(
  args: readonly string[],
  input?: Uint8Array,
  environment: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", "src/cli.ts", ...args], {
      env: {
        PATH: process.env.PATH,
        CROSSMODAL_DATA_DIR: dataDir,
        CROSSMODAL_DEVICE: "cpu",
        ...environment,
      },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

describe("crossmodal classify", () => {
  it("prints scores of pictures and sounds, and ends with 0", async () => {
    const { code, stdout } = await crossmodal([
      "classify",
      "fixtures/images/cat.jpg",
      "fixtures/audio/crow.wav",
      "--labels",
      "cat,crow cawing,piano",
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/cat\.jpg {2}\(starter-clip\)\n {2}\d\.\d{3} {2}cat/);
    expect(stdout).toMatch(/crow\.wav {2}\(starter-clap\)\n {2}\d\.\d{3} {2}crow cawing/);
  });

  it("prints a JSON object a file with --json, lists bad files at the end, and exits with 1", async () => {
    const { code, stdout, stderr } = await crossmodal([
      "classify",
      "nowhere.jpg",
      "README.md",
      "fixtures/images/cat.jpg",
      "--labels",
      "cat,dog",
      "--json",
    ]);
    expect(code).toBe(1);
    const [answer] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answer).toMatchObject({ file: "fixtures/images/cat.jpg", model: "starter-clip" });
    expect(stderr).toContain("nowhere.jpg: no such file");
    expect(stderr).toContain("README.md: not a picture or sound");
  });

  it("takes labels as JSON or from a file, texts, several templates and a threshold", async () => {
    const file = join(dataDir, "labels.txt");
    writeFileSync(file, "cat, sleeping\n\n dog \n");
    const template = ["--template", "a photo of a {}.", "--template", "a {}"];
    const classify = [
      "classify",
      ...template,
      "--text",
      "a cat asleep",
      "--threshold",
      "0",
      "--json",
    ];
    const json = await crossmodal([...classify, "--labels", '["cat, sleeping", {"label": "dog"}]']);
    const lines = await crossmodal([...classify, "--labels-file", file]);
    expect([json.code, json.stderr, lines.code]).toEqual([0, "", 0]);
    const labelsOf = (stdout: string) =>
      (JSON.parse(stdout).scores as { label: string }[]).map(({ label }) => label).sort();
    expect(labelsOf(json.stdout)).toEqual(["cat, sleeping", "dog"]);
    expect(JSON.parse(lines.stdout)).toEqual(JSON.parse(json.stdout));
  });

  it("asks the server that the environment names", async () => {
    const args = ["classify", "--text", "a", "--labels", "b"];
    const environment = { CROSSMODAL_URL: "http://127.0.0.1:9", CROSSMODAL_API_KEY: "secret" };
    const { code, stderr } = await crossmodal(args, undefined, environment);
    expect([code, stderr]).toEqual([1, expect.stringContaining("http://127.0.0.1:9")]);
  });

  it.each([
    [["classify", "--labels", "a"], "give files or --text"],
    [["classify", "x.jpg", "--labels", "[1"], "JSON array"],
    [["classify", "x.jpg", "--labels", "a", "--label-set", "b"], "Expected one of --labels"],
    [["classify", "fixtures/images/cat.jpg"], "--labels"],
    [["classify", "x.jpg", "--labels", "a", "--top-k", "many"], "Expected a number"],
    [["clasify"], "unknown command"],
    [["doctor", "--device", "gpu"], "Expected auto, cpu"],
  ])("ends with 2 and says how for %j", async (args, message) => {
    const { code, stderr } = await crossmodal(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe("crossmodal embed", () => {
  it("ends with 2 when there is nothing to embed, as for any wrong usage", async () => {
    const { code, stderr } = await crossmodal(["embed"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("give files, --text")]);
  });

  it("embeds texts as JSON lines", async () => {
    const { code, stdout } = await crossmodal([
      "embed",
      "--text",
      "a red bus",
      "--text",
      "a cat",
      "--json",
    ]);
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ input, embedding }) => [input, embedding.length])).toEqual([
      ["a red bus", 384],
      ["a cat", 384],
    ]);
  });
});

describe("crossmodal models", () => {
  it("adds, lists, verifies and removes a folder in the hub's layout", async () => {
    expect(
      (await crossmodal(["models", "add", goldenPath("tiny-clip"), "--id", "mine"])).stdout,
    ).toContain("added mine: clip, text+image");
    expect(
      (await crossmodal(["models", "add", goldenPath("tiny-clip"), "--id", "mine"])).stderr,
    ).toContain("already");
    expect((await crossmodal(["models", "list"])).stdout).toMatch(/^mine +clip/m);
    const { code, stdout } = await crossmodal(["models", "verify", "mine"]);
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .every((line) => line.startsWith("ok")),
    ).toBe(true);
    expect((await crossmodal(["models", "remove", "starter-clip"])).code).toBe(2);
    expect((await crossmodal(["models", "remove", "mine"])).code).toBe(0);
    expect((await crossmodal(["models", "list"])).stdout).not.toMatch(/^mine/m);
  });
});

describe("crossmodal serve", () => {
  it("does not start on a device that is not available, and says what is missing", async () => {
    const { code, stdout, stderr } = await crossmodal([
      "serve",
      "--device",
      "cuda:99",
      "--port",
      "0",
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/The device "cuda:99" cannot be used: .*To use it: /);
    expect(stdout).not.toContain("listens");
  });
});

describe("crossmodal doctor", () => {
  it("prints versions, machine, devices, and each tower's space, hash and inference time", async () => {
    const { code, stdout, stderr } = await crossmodal(["doctor", "--port", "0", "--json"]);
    // Drivers of graphics cards that are not there have their own warnings
    expect([code, stderr]).toEqual([0, ""]);
    const findings = JSON.parse(stdout) as {
      group: string;
      check: string;
      ok: boolean;
      found: string;
      ms?: number;
      sha256?: string;
      space?: string;
    }[];
    const of = (check: string) => findings.find((finding) => finding.check === check)!;
    const inGroup = (group: string) =>
      findings.filter((f) => f.group === group).map(({ check }) => check);
    expect(inGroup("versions")).toEqual([
      "crossmodal",
      "Node.js",
      "ONNX Runtime",
      "sharp",
      "SQLite",
      "ffmpeg",
    ]);
    expect(inGroup("machine")).toEqual(["cores", "memory", "data folder", "port"]);
    expect(inGroup("devices")).toEqual(["cpu", "cuda", "webgpu"]);
    expect(of("crossmodal").found).toBe(
      (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version,
    );
    expect(of("ONNX Runtime").found).toBe("1.30.0");
    expect(of("cpu").found).toBe("available");
    expect(of("data folder").found).toMatch(/GiB free on its disk$/);
    expect(of("starter-clip").space).toMatch(/^starter-clip@[0-9a-f]{8}$/);
    for (const tower of [
      "starter-clip text",
      "starter-clip image",
      "starter-clap text",
      "starter-clap audio",
    ]) {
      expect(of(tower).ms).toBeGreaterThan(0);
      expect(of(tower).sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it("ends with 0 when the port is held by a server of ours, and says so", async () => {
    const server = await serve();
    try {
      const flags = [
        "--port",
        new URL(server.url).port,
        "--models",
        "starter-clip",
        "--data-dir",
        server.dataDir,
      ];
      const { code, stdout } = await crossmodal(["doctor", ...flags]);
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(/ok +port +.* is held by a crossmodal server/),
      ]);
    } finally {
      server.child.kill("SIGKILL");
    }
  });

  it("exits with 1 and names a missing model, a port in use, or a place not to be written", async () => {
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
    const { port } = busy.address() as AddressInfo;
    const file = join(dataDir, "a-file");
    writeFileSync(file, "");
    const places = ["--data-dir", join(file, "below"), "--audit-file", dataDir];
    const flags = ["--models", "nope", "--port", String(port), ...places];
    const { code, stdout, stderr } = await crossmodal(["doctor", ...flags]);
    busy.close();
    expect(code).toBe(1);
    expect(stdout).toMatch(/WRONG +nope +No model "nope" is installed/);
    expect(stdout).toMatch(/WRONG +port +.* is in use/);
    expect(stdout).toMatch(/WRONG +data folder +.*below/);
    expect(stdout).toMatch(/WRONG +audit file +.* is a folder/);
    expect(stdout).toMatch(/ok +cpu +available/);
    expect(stderr).toMatch(/4 of \d+ checks failed/);
  });
});
