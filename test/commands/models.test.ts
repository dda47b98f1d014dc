import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeHub } from "../helpers/fake-hub.js";
import { goldenJson, goldenPath } from "../helpers/golden.js";
import { runMain } from "../helpers/run-main.js";

const repo = "someone/tiny-clip";
const image = "onnx/vision_model.onnx";

describe("crossmodal models", () => {
  let hub: FakeHub;
  let dataDir: string;
  beforeAll(async () => {
    hub = await FakeHub.start();
    hub
      .addRepo(repo, goldenPath("tiny-clip"), { license: "mit" })
      .files.delete("onnx/text_model_q4.onnx");
    hub.addRepo("someone/tiny-clap", goldenPath("tiny-clap"));
  });
  afterAll(() => hub.close());
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "crossmodal-models-"));
    hub.requests.length = 0;
  });

  const environment = () => ({
    CROSSMODAL_DATA_DIR: dataDir,
    CROSSMODAL_DEVICE: "cpu",
    HF_ENDPOINT: hub.url,
    HF_HOME: join(dataDir, "hf"),
    HF_TOKEN: "hf_very_private",
  });

  /** A command in a process of its own; `child` to signal, `ended` with what it printed. */
  function start(...args: string[]) {
    const child = spawn(process.execPath, ["--import", "tsx", "src/cli.ts", ...args], {
      env: { PATH: process.env.PATH, ...environment() },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (chunk: Buffer) => {
        output[name] += chunk.toString();
      });
    }
    const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>(
      (resolve) => {
        child.once("close", (code) => resolve({ code, ...output }));
      },
    );
    return { child: child as ChildProcess, ended, output };
  }

  async function run(...args: string[]) {
    for (const [name, value] of Object.entries(environment())) vi.stubEnv(name, value);
    return runMain(...args).finally(() => vi.unstubAllEnvs());
  }
  const part = () => join(dataDir, "models/.pull/tiny-clip", `${image}.part`);
  const partSize = () => (existsSync(part()) ? statSync(part()).size : 0);

  it("pulls a model that then classifies, and tells how on stderr without the token", async () => {
    const pulled = await run("models", "pull", repo);
    expect(pulled.code).toBe(0);
    expect(pulled.stdout).toMatch(/^pulled tiny-clip: clip, text\+image, 32 dimensions, fp32, /m);
    expect(pulled.stdout).toMatch(/ from someone\/tiny-clip at [0-9a-f]{40}$/m);
    expect(pulled.stderr).toContain("7 files, ");
    expect(pulled.stderr).toContain(`${image}  0.5 MB`);
    expect(pulled.stderr).not.toContain("hf_very_private");
    expect(
      hub.requests.some(({ headers }) => headers.authorization === "Bearer hf_very_private"),
    ).toBe(true);

    const args = [
      "classify",
      "fixtures/images/cat.jpg",
      "--model",
      "tiny-clip",
      "--models",
      "tiny-clip",
      "--labels",
      "cat,dog",
      "--json",
    ];
    const { code, stdout } = await run(...args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ model: "tiny-clip", scores: [{}, {}] });

    const again = await run("models", "pull", repo, "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({
      id: "tiny-clip",
      source: repo,
      dtypes: ["fp32"],
      was_here: true,
    });
  });

  it("lists what is here and what can be had", async () => {
    await run("models", "pull", repo, "--dtype", "fp32,int8");
    const { stdout } = await run("models", "list");
    expect(stdout).toMatch(/^tiny-clip +clip +text\+image +32 +fp32,int8 +8\.2 MB +mit$/m);
    expect(stdout).toMatch(/^clap-htsat-unfused +clap +text\+audio +512 +Apache-2\.0/m);
    const lines = (await run("models", "list", "--json")).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.find(({ id }) => id === "tiny-clip")).toMatchObject({
      installed: true,
      source: repo,
      dtypes: ["fp32", "int8"],
    });
    expect(lines.find(({ id }) => id === "clip-vit-base-patch32")).toEqual({
      installed: false,
      id: "clip-vit-base-patch32",
      family: "clip",
      dimensions: 512,
      modalities: ["text", "image"],
      license: "MIT",
      source: "Xenova/clip-vit-base-patch32",
    });
  });

  it("tells how to get a model that is known but not here", async () => {
    const { code, stderr } = await run(
      "classify",
      "fixtures/images/cat.jpg",
      "--labels",
      "a,b",
      "--models",
      "clip-vit-base-patch32",
    );
    expect(code).toBe(1);
    expect(stderr).toContain("get them with: crossmodal models pull clip-vit-base-patch32");
  });

  it.each([
    [["models", "pull", "no-such-model"], 1, "neither a built-in model nor a hub repository"],
    [["models", "pull", repo, "--dtype", "fp8"], 2, "Expected fp32, fp16, int8, q4"],
    [["models", "pull", repo, "--dtype", "q4"], 2, "available: fp32, fp16, int8"],
    [["models", "pull", repo, "--id", "Not An Id"], 2, "Expected an id"],
  ])("ends %j with %i and says why", async (args, expected, message) => {
    const { code, stderr } = await run(...args);
    expect(stderr).toContain(message);
    expect(code).toBe(expected);
  });

  it("keeps what came when Ctrl-C stops it, and goes on from there", async () => {
    hub.next(image, { hangAfter: 200_000 });
    const first = start("models", "pull", repo);
    await vi.waitFor(() => expect(partSize()).toBe(200_000), 60_000);
    first.child.kill("SIGINT");
    const { code, stderr } = await first.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/Interrupted: .* is not complete\. 200000 of 510452 bytes of it are in/);
    const { code: then } = await run("models", "pull", repo);
    expect(then).toBe(0);
    expect(hub.fetched(image).at(-1)?.headers.range).toBe("bytes=200000-");
  });

  it("goes on after the process was killed, and its lock holds nobody up", async () => {
    hub.next(image, { hangAfter: 200_000 });
    const first = start("models", "pull", repo);
    await vi.waitFor(() => expect(partSize()).toBe(200_000), 60_000);
    first.child.kill("SIGKILL");
    await first.ended;
    const { code, stdout, stderr } = await run("models", "pull", repo);
    expect(stderr).not.toContain("waiting");
    expect([code, stdout]).toEqual([0, expect.stringContaining("pulled tiny-clip")]);
    expect(hub.fetched(image).at(-1)?.headers.range).toBe("bytes=200000-");
  });

  it("waits for another process that pulls the same model, and shares its download", async () => {
    hub.next(image, { hangAfter: 200_000 });
    const first = start("models", "pull", repo);
    await vi.waitFor(() => expect(partSize()).toBe(200_000), 60_000);
    const second = start("models", "pull", repo);
    await vi.waitFor(
      () => expect(second.output.stderr).toContain(`waiting for process ${first.child.pid}`),
      60_000,
    );
    first.child.kill("SIGINT");
    // The second takes over with what the first left.
    expect((await second.ended).stdout).toContain("pulled tiny-clip");
    expect(
      hub
        .fetched(image)
        .filter(({ server }) => server === "files")
        .map(({ headers }) => headers.range),
    ).toEqual([undefined, "bytes=200000-"]);
  });

  it("refuses to serve a model of which a file was changed, and says which", async () => {
    await run("models", "pull", repo);
    const path = join(dataDir, "models/tiny-clip", image);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    const served = await run("serve", "--models", "tiny-clip", "--port", "0");
    expect(served.code).toBe(1);
    expect(served.stderr).toMatch(
      /vision_model\.onnx" was changed: its sha256 is [0-9a-f]{64}, expected [0-9a-f]{64}/,
    );
    const verified = await run("models", "verify", "tiny-clip");
    expect([verified.code, verified.stdout]).toEqual([
      1,
      expect.stringMatching(/^FAILED {2}tiny-clip .*was changed/m),
    ]);
  });

  it("verifies the others when a manifest cannot be read", async () => {
    mkdirSync(join(dataDir, "models/broken"), { recursive: true });
    writeFileSync(join(dataDir, "models/broken/manifest.json"), "{");
    const { code, stdout } = await run("models", "verify");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAILED {2}broken .*manifest\.json" cannot be read/m);
    expect(stdout).toMatch(/^ok {6}starter-clip {2}image\.onnx$/m);
  });

  it("verifies with a JSON line for each file", async () => {
    mkdirSync(join(dataDir, "models/broken"), { recursive: true });
    writeFileSync(join(dataDir, "models/broken/manifest.json"), "{");
    const { code, stdout } = await run("models", "verify", "--json");
    expect(code).toBe(1);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual({ id: "starter-clip", path: "image.onnx", ok: true });
    expect(lines).toContainEqual(
      expect.objectContaining({ id: "broken", path: "manifest.json", ok: false }),
    );
  });

  describe("verify --golden", () => {
    const { logits } = goldenJson<{ logits: { label_indices: number[]; probs: number[][] } }>(
      "tiny-clap/golden.json",
    );
    const { texts, audio } = goldenJson<{ texts: { text: string }[]; audio: { file: string }[] }>(
      "tiny-clap/golden.json",
    );
    /**
     * The reference's own scores of the first sound, as a published result would be written down.
     */
    const sample = (change: object = {}) => ({
      what: "the reference's first sound",
      source: "fixtures/golden",
      modality: "audio",
      file: audio[0].file,
      url: "http://media.example/sound",
      labels: logits.label_indices.map((i) => texts[i].text),
      template: "{}",
      dtype: "fp32",
      scores: logits.probs[0],
      tolerance: 0.001,
      ...change,
    });
    const writeSamples = (...samples: object[]) =>
      writeFileSync(join(dataDir, "models/tiny-clap/golden.json"), JSON.stringify({ samples }));

    it("compares published scores with those that come out here", async () => {
      await run("models", "pull", "someone/tiny-clap");
      const media = goldenPath(`media/audio/${audio[0].file}`);
      writeSamples(sample());
      const same = await run("models", "verify", "--golden", "tiny-clap", "--media", media);
      expect([same.code, same.stdout]).toEqual([
        0,
        expect.stringMatching(/^same {4}tiny-clap {2}the reference's first sound/m),
      ]);

      writeSamples(sample({ scores: [...logits.probs[0]].reverse() }));
      const other = await run("models", "verify", "--golden", "tiny-clap", "--media", media);
      expect([other.code, other.stdout]).toEqual([1, expect.stringContaining("FAILED  tiny-clap")]);
    });

    it("names the media it lacks, and fails when nothing was compared", async () => {
      await run("models", "pull", "someone/tiny-clap");
      writeSamples(sample(), sample({ dtype: "q4" }));
      const { code, stdout } = await run("models", "verify", "--golden", "tiny-clap");
      expect(code).toBe(1);
      expect(stdout).toContain(`needs --media ${audio[0].file} (http://media.example/sound)`);
      expect(stdout).toContain("published for q4, which is not installed");
    });
  });
});
