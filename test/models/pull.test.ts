import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DataType } from "../../src/encoders/manifest.js";
import { readManifest } from "../../src/encoders/read-manifest.js";
import { writeSafetensors } from "../../src/math/safetensors.js";
import { removeModel } from "../../src/models/add.js";
import { hubSettings } from "../../src/models/hub/hub-settings.js";
import { pullModel } from "../../src/models/pull.js";
import type { PullOptions } from "../../src/models/pull-options.js";
import { pullTarget } from "../../src/models/pull-plan.js";
import { findManifest, installedIds } from "../../src/models/store.js";
import { FakeHub } from "../helpers/fake-hub.js";
import { goldenPath } from "../helpers/golden.js";
import { configWith, folderWith } from "../helpers/model-folders.js";
import { withExternalData } from "../helpers/onnx-edit.js";
import { loadPack } from "../helpers/packs.js";

const clip = "someone/Tiny-CLIP";
const text = "onnx/text_model.onnx";

describe("pullModel", () => {
  let hub: FakeHub;
  let dataDir: string;
  let notices: string[];
  let done: string[];
  /** Where no server listens any more. */
  let nobody: string;
  beforeAll(async () => {
    hub = await FakeHub.start();
    const gone = await FakeHub.start();
    nobody = gone.url;
    await gone.close();
  });
  afterAll(() => hub.close());
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "crossmodal-pull-"));
    notices = [];
    done = [];
    hub.requests.length = 0;
    hub.addRepo(clip, goldenPath("tiny-clip"), { license: "mit" });
  });
  afterEach(() => {
    hub.requests.length = 0;
  });

  const pull = (
    spec: string,
    given: Partial<PullOptions> & { id?: string; environment?: NodeJS.ProcessEnv } = {},
  ) => {
    const { environment, id, ...options } = given;
    let path = "";
    const progress = {
      begin: () => {},
      file: (name: string) => {
        path = name;
      },
      bytes: () => {},
      done: (from: string) => done.push(`${path} from ${from}`),
      notice: (line: string) => notices.push(line),
    };
    const cache = { HF_HOME: join(dataDir, "no-cache"), HF_ENDPOINT: hub.url, ...environment };
    const dtypes: DataType[] = ["fp32"];
    const retry = { backoffMs: () => 1 };
    return pullModel(pullTarget(spec, { id }), {
      dataDir,
      hub: hubSettings(cache),
      dtypes,
      progress,
      retry,
      ...options,
    });
  };
  const packFolder = (id: string) => join(dataDir, "models", id);
  const fetchedGraphs = () => hub.requests.filter(({ server }) => server === "files").length;

  it("pulls any repository by inspection: pinned, hashed, licensed, and it loads", async () => {
    const { manifest, wasInstalled } = await pull(clip);
    expect(wasInstalled).toBe(false);
    const bytes = readFileSync(goldenPath(`tiny-clip/${text}`));
    expect(manifest).toMatchObject({
      id: "tiny-clip",
      source: clip,
      revision: createHash("sha1").update(clip).digest("hex"),
      license: "mit",
      towers: {
        text: {
          files: {
            fp32: {
              path: text,
              size: bytes.length,
              sha256: createHash("sha256").update(bytes).digest("hex"),
            },
          },
        },
      },
    });
    expect(manifest.towers.image?.files.int8).toBeUndefined();
    expect(await readManifest(findManifest(dataDir, "tiny-clip"))).toEqual(manifest);
    // What the manifest does not name is not kept, and nothing is left of the download.
    expect(readdirSync(packFolder("tiny-clip")).sort()).toEqual([
      "manifest.json",
      "onnx",
      "tokenizer.json",
    ]);
    expect(
      readdirSync(join(dataDir, "models/.pull")).filter((name) => !/\.lock(\.pid)?$/.test(name)),
    ).toEqual([]);
    const pack = await loadPack(dataDir, "tiny-clip");
    expect(await pack.encoders.text!.encode(["a cat"])).toHaveLength(1);
    await pack.close();
  });

  it("puts further data types into the pack, and fetches nothing twice", async () => {
    await pull(clip);
    hub.requests.length = 0;
    const { manifest } = await pull(clip, { dtypes: ["int8"] });
    expect(Object.keys(manifest.towers.text!.files)).toEqual(["fp32", "int8"]);
    expect(fetchedGraphs()).toBe(2);
    expect(done).toContain("tokenizer.json from here");
    hub.requests.length = 0;
    expect(await pull(clip, { dtypes: ["int8", "fp32"] })).toMatchObject({ wasInstalled: true });
    expect(hub.requests).toEqual([]);
    const pack = await loadPack(dataDir, "tiny-clip", "int8");
    await pack.close();
    await expect(loadPack(dataDir, "tiny-clip", "fp16")).rejects.toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining(`crossmodal models pull ${clip} --id tiny-clip --dtype`),
    });
  });

  it("takes several data types at once", async () => {
    const { manifest } = await pull(clip, { dtypes: ["fp16", "q4"] });
    const paths = Object.entries(manifest.towers.image!.files).map(([dtype, { path }]) => [
      dtype,
      path,
    ]);
    expect(paths).toEqual([
      ["fp16", "onnx/vision_model_fp16.onnx"],
      ["q4", "onnx/vision_model_q4.onnx"],
    ]);
  });

  it("lists the available data types when one is missing, before anything is fetched", async () => {
    hub.addRepo(clip, goldenPath("tiny-clip")).files.delete("onnx/text_model_q4.onnx");
    await expect(pull(clip, { dtypes: ["q4"] })).rejects.toMatchObject({
      code: "invalid_input",
      param: "dtype",
      message: `${clip} has no text_model as q4; available: fp32, fp16, int8`,
    });
    expect(hub.requests).toHaveLength(1);
  });

  it("takes a branch, tag or commit, and does not mix revisions in one pack", async () => {
    const commit = createHash("sha1").update(clip).digest("hex");
    await pull(`${clip}@${commit}`);
    hub.addRepo(clip, goldenPath("tiny-clip"), { commit: "f".repeat(40) });
    await expect(pull(`${clip}@main`, { dtypes: ["int8"] })).rejects.toMatchObject({
      code: "already_exists",
      message: expect.stringContaining(`revision ${commit} but main is ${"f".repeat(40)}`),
    });
    await expect(pull(`${clip}@no-such-tag`, { id: "other" })).rejects.toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining("no such revision"),
    });
  });

  it("leaves a pack that another source has made alone", async () => {
    await pull(clip);
    hub.addRepo("other/tiny-clip", goldenPath("tiny-clip"));
    await expect(pull("other/tiny-clip")).rejects.toMatchObject({ code: "already_exists" });
    expect((await pull("other/tiny-clip", { id: "second" })).manifest.id).toBe("second");
  });

  it("continues after an interruption, and lists no pack before it is complete", async () => {
    const controller = new AbortController();
    hub.next("onnx/vision_model.onnx", { hangAfter: 100_000 });
    const stopped = pull(clip, {
      signal: controller.signal,
      progress: {
        begin: () => {},
        file: () => {},
        bytes: (here) => here === 100_000 && controller.abort(),
        done: () => {},
        notice: () => {},
      },
    });
    await expect(stopped).rejects.toMatchObject({
      code: "cancelled",
      message: expect.stringContaining("100000 of 510452"),
    });
    expect(installedIds(dataDir)).not.toContain("tiny-clip");
    hub.requests.length = 0;
    await pull(clip);
    expect(done).toContain(`${text} from here`);
    expect(
      hub.requests.filter(({ server }) => server === "files").map(({ headers }) => headers.range),
    ).toEqual(["bytes=100000-"]);
  });

  it("shares one download between two pulls at once", async () => {
    const results = await Promise.all([pull(clip), pull(clip)]);
    expect(results.map(({ wasInstalled }) => wasInstalled).sort()).toEqual([false, true]);
    expect(notices).toEqual([
      `waiting for process ${process.pid}, which is already pulling tiny-clip`,
    ]);
    expect(fetchedGraphs()).toBe(2);
  });

  it("takes files with the right bytes from the hub's cache, by content or by commit", async () => {
    const cache = join(dataDir, "hf/hub/models--someone--Tiny-CLIP");
    const bytes = readFileSync(goldenPath(`tiny-clip/${text}`));
    const commit = createHash("sha1").update(clip).digest("hex");
    mkdirSync(join(cache, "blobs"), { recursive: true });
    writeFileSync(join(cache, "blobs", createHash("sha256").update(bytes).digest("hex")), bytes);
    mkdirSync(join(cache, "snapshots", commit, "onnx"), { recursive: true });
    cpSync(
      goldenPath("tiny-clip/tokenizer.json"),
      join(cache, "snapshots", commit, "tokenizer.json"),
    );
    // of the right length, with other bytes: a cache is not trusted
    writeFileSync(
      join(cache, "snapshots", commit, "onnx/vision_model.onnx"),
      Buffer.alloc(510_452),
    );
    await pull(clip, { environment: { HF_HOME: join(dataDir, "hf") } });
    expect(done).toEqual(
      expect.arrayContaining([
        `${text} from the hub's cache`,
        "tokenizer.json from the hub's cache",
      ]),
    );
    expect(done).toContain("onnx/vision_model.onnx from the hub");
    expect(fetchedGraphs()).toBe(1);
  });

  it.each([
    ["the hub cannot be reached", () => ({ HF_ENDPOINT: nobody })],
    ["HF_HUB_OFFLINE is set", () => ({ HF_HUB_OFFLINE: "1" })],
  ])("lives from the cache alone when %s", async (_, environment) => {
    const cache = join(dataDir, "hf/hub/models--someone--Tiny-CLIP");
    const commit = "a".repeat(40);
    for (const path of [
      "config.json",
      "preprocessor_config.json",
      "tokenizer_config.json",
      "tokenizer.json",
      "logit.json",
      text,
    ]) {
      const bytes = readFileSync(goldenPath(`tiny-clip/${path}`));
      const blob = join(cache, "blobs", createHash("sha256").update(bytes).digest("hex"));
      const link = join(cache, "snapshots", commit, path);
      mkdirSync(join(link, ".."), { recursive: true });
      mkdirSync(join(cache, "blobs"), { recursive: true });
      writeFileSync(blob, bytes);
      symlinkSync(blob, link);
    }
    mkdirSync(join(cache, "refs"), { recursive: true });
    writeFileSync(join(cache, "refs/main"), commit);
    const { manifest } = await pull(clip, {
      environment: { HF_HOME: join(dataDir, "hf"), ...environment() },
    });
    expect(manifest).toMatchObject({
      revision: commit,
      towers: { text: { files: { fp32: { path: text } } } },
    });
    expect(hub.requests).toEqual([]);
    expect(notices.at(-1)).toContain("instead");
  });

  it("says what to do when the hub cannot be reached", async () => {
    await expect(pull(clip, { environment: { HF_ENDPOINT: nobody } })).rejects.toMatchObject({
      code: "hub_failed",
      message: expect.stringMatching(
        /cannot be reached \(ECONNREFUSED\).*HF_ENDPOINT.*HTTPS_PROXY.*models add/,
      ),
    });
  });

  it("says what to do about a repository that is not there, gated, or no hub at all", async () => {
    await expect(pull("nobody/nothing")).rejects.toMatchObject({
      message: expect.stringMatching(/401.*set HF_TOKEN/),
    });
    hub.addRepo("gated/model", goldenPath("tiny-clip"), { gated: { token: "hf_right" } });
    await expect(pull("gated/model")).rejects.toMatchObject({
      message: expect.stringMatching(/restricted; set HF_TOKEN/),
    });
    await expect(
      pull("gated/model", { environment: { HF_TOKEN: "hf_wrong" } }),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/accept the model's terms/),
    });
    await pull("gated/model", { environment: { HF_TOKEN: "hf_right" } });
    expect(
      hub.requests.filter(({ server, headers }) => server === "files" && headers.authorization),
    ).toEqual([]);
    await expect(
      pull(clip, { id: "x", environment: { HF_ENDPOINT: `${hub.filesUrl}/owner` } }),
    ).rejects.toMatchObject({
      code: "hub_failed",
    });
  });

  it("reads no listing without an end", async () => {
    hub.next("/revision/main", { endless: true });
    await expect(pull(clip)).rejects.toMatchObject({
      code: "hub_failed",
      message: expect.stringContaining("more than 16777216 bytes"),
    });
  });

  it("names what a repository lacks", async () => {
    hub.addRepo("torch/only", { "config.json": "{}", "model.safetensors": "" });
    await expect(pull("torch/only")).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("it is not an export in the hub's ONNX layout"),
    });
    hub.addRepo("some/bert", { ...filesOf("tiny-clip"), "config.json": '{"model_type": "bert"}' });
    await expect(pull("some/bert")).rejects.toMatchObject({
      message: expect.stringContaining('"bert" is unknown'),
    });
    // Found out before the weights came.
    expect(fetchedGraphs()).toBe(0);
  });

  describe("the learned logit scale", () => {
    const withoutLogit = (tiny: string) => {
      const { "logit.json": _, ...files } = filesOf(tiny);
      return files;
    };

    it("is asked for when no source has it, and fetched files are not fetched again", async () => {
      hub.addRepo("my/export", withoutLogit("tiny-clip"));
      await expect(pull("my/export")).rejects.toMatchObject({
        code: "invalid_input",
        param: "logit-scale",
      });
      const { manifest } = await pull("my/export", { logitScale: 42 });
      expect(manifest).toMatchObject({ logitScale: 42, logitBias: 0 });
      expect(done).toContain("tokenizer.json from here");
    });

    it("is the published value, under the built-in's id and licence, for any of its names", async () => {
      hub.addRepo("Xenova/clip-vit-base-patch32", withoutLogit("tiny-clip"));
      const { manifest } = await pull("openai/clip-vit-base-patch32");
      expect(manifest).toMatchObject({
        id: "clip-vit-base-patch32",
        source: "Xenova/clip-vit-base-patch32",
        logitScale: 100,
        license: "MIT",
      });
      expect(await pull("clip-vit-base-patch32")).toMatchObject({ wasInstalled: true });
      expect(await pull("Xenova/clip-vit-base-patch32")).toMatchObject({ wasInstalled: true });
    });

    it("is read from the original checkpoint by Range, else is the published value", async () => {
      const scalar = (value: number) => ({ shape: [], data: Float32Array.of(value) });
      const tensors = {
        "text_model.weight": { shape: [2], data: Float32Array.of(1, 2) },
        logit_scale: scalar(Math.log(50)),
        logit_bias: scalar(-7),
      };
      const checkpoint = Buffer.from(writeSafetensors({ tensors, metadata: {} }));
      hub.addRepo("Xenova/siglip-base-patch16-224", withoutLogit("tiny-siglip"));
      hub.addRepo("google/siglip-base-patch16-224", { "model.safetensors": checkpoint });
      const { manifest } = await pull("siglip-base-patch16-224");
      expect(manifest.logitScale).toBeCloseTo(50, 4);
      expect(manifest.logitBias).toBe(-7);
      expect(
        hub
          .fetched("model.safetensors")
          .filter(({ server }) => server === "files")
          .map(({ headers }) => headers.range)[0],
      ).toBe("bytes=0-7");

      await removeModel(dataDir, "siglip-base-patch16-224");
      hub.next("model.safetensors", { status: 404 });
      const published = (await pull("siglip-base-patch16-224")).manifest;
      expect(published).toMatchObject({ logitScale: 117.33, logitBias: -12.932 });
      expect(notices).toContainEqual(expect.stringContaining("taking the published 117.33"));
    });

    it.each([
      ["another part than was asked for", { otherRange: true }],
      ["more than was asked for", { endless: true }],
    ] as const)("is the published one when the hub gives %s", async (_, mishap) => {
      const scale = { shape: [], data: Float32Array.of(Math.log(50)) };
      const tensors = { logit_scale: scale, more: { shape: [2], data: Float32Array.of(1, 2) } };
      const checkpoint = Buffer.from(writeSafetensors({ tensors, metadata: {} }));
      hub.addRepo("Xenova/siglip-base-patch16-224", withoutLogit("tiny-siglip"));
      hub.addRepo("google/siglip-base-patch16-224", { "model.safetensors": checkpoint });
      // The third request is for the scale itself; of each the hub and the file server may go
      // wrong.
      hub.next("model.safetensors", {}, {}, {}, {}, mishap);
      expect((await pull("siglip-base-patch16-224")).manifest.logitScale).toBe(117.33);
      expect(
        hub.fetched("model.safetensors").filter(({ server }) => server === "files"),
      ).toHaveLength(3);
    });

    it("is the published one when the checkpoint's header is not one", async () => {
      const header = Buffer.from('{"logit_scale": {"dtype": "F32"}}');
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      hub.addRepo("Xenova/siglip-base-patch16-224", withoutLogit("tiny-siglip"));
      hub.addRepo("google/siglip-base-patch16-224", {
        "model.safetensors": Buffer.concat([length, header]),
      });
      expect((await pull("siglip-base-patch16-224")).manifest.logitScale).toBe(117.33);
    });

    it("is not paid for with the whole checkpoint when a server gives no parts", async () => {
      hub.addRepo("Xenova/siglip-base-patch16-224", withoutLogit("tiny-siglip"));
      hub.addRepo("google/siglip-base-patch16-224", { "model.safetensors": Buffer.alloc(1000) });
      hub.next("model.safetensors", { ignoreRange: true });
      expect((await pull("siglip-base-patch16-224")).manifest.logitScale).toBe(117.33);
    });
  });

  it("lower-cases what SigLIP 2 reads, whatever its tokenizer_config.json says", async () => {
    hub.addRepo("onnx-community/siglip2-base-patch16-224-ONNX", filesOf("tiny-siglip2"));
    const { manifest } = await pull("siglip2-base-patch16-224");
    expect(manifest.towers.text?.preprocess.canonicalize).toBe("lower");
  });

  it("uses a built-in's constants for a repository the user names", async () => {
    expect(() => pullTarget("clap-htsat-fused")).toThrow(
      /No public ONNX export.*--id clap-htsat-fused/,
    );
    hub.addRepo("me/fused", filesOf("tiny-clap-fused"));
    const { manifest } = await pull("me/fused", { id: "clap-htsat-fused" });
    expect(manifest).toMatchObject({
      id: "clap-htsat-fused",
      source: "me/fused",
      license: "Apache-2.0",
    });
    expect(manifest.towers.audio?.preprocess.longer).toBe("fusion");
  });

  it("refuses names that are none, and revisions that would leave the cache", () => {
    expect(() => pullTarget("no-such-model")).toThrow(
      /neither a built-in model nor a hub repository/,
    );
    expect(() => pullTarget("owner/name@../../etc")).toThrow(/Expected a branch/);
    expect(() => pullTarget("owner/name", { id: "../../etc" })).toThrow(/Expected an id/);
    expect(() => pullTarget("owner/name", { id: "starter-clip" })).toThrow(
      /is shipped with crossmodal/,
    );
  });

  it("works through a proxy, and past it where NO_PROXY says so", async () => {
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(request.url!);
      const { hostname, port, pathname, search } = new URL(request.url!);
      const { headers } = request;
      httpRequest({ hostname, port, path: pathname + search, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }).end();
    });
    proxy.on("connect", (request, socket, head) => {
      seen.push(request.url!);
      const [host, port] = request.url!.split(":");
      const upstream = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on("error", () => socket.destroy());
      socket.on("error", () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    try {
      const http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      await pull(clip, { environment: { http_proxy } });
      expect(seen.some((url) => url.includes(new URL(hub.url).host))).toBe(true);
      expect(seen.some((url) => url.includes(new URL(hub.filesUrl).host))).toBe(true);
      seen.length = 0;
      await pull(clip, { id: "direct", environment: { http_proxy, NO_PROXY: "127.0.0.1" } });
      expect(seen).toEqual([]);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  it("pulls the layout of transformers 5, weights under any name included", async () => {
    const processor = configWith("tiny-clip", "preprocessor_config.json", {});
    const folder = folderWith("tiny-clip", {
      "preprocessor_config.json": null,
      "processor_config.json": { image_processor: processor, processor_class: "CLIPProcessor" },
    });
    const vision = join(folder, "onnx/vision_model.onnx");
    const { graph, data } = withExternalData(readFileSync(vision), "weights.bin");
    writeFileSync(vision, graph);
    writeFileSync(join(folder, "onnx/weights.bin"), data);
    hub.addRepo(clip, folder);
    const { manifest } = await pull(clip);
    expect(manifest.towers.image?.preprocess.crop).toBe(224);
    expect(manifest.towers.image?.files.fp32?.data).toMatchObject([
      { path: "onnx/weights.bin", size: data.length },
    ]);
    expect(readdirSync(join(packFolder("tiny-clip"), "onnx")).sort()).toEqual([
      "text_model.onnx",
      "vision_model.onnx",
      "weights.bin",
    ]);
    expect(done).toContain("onnx/weights.bin from the hub");
  });

  it("names the weights that a graph needs and the repository lacks", async () => {
    const folder = folderWith("tiny-clip");
    const vision = join(folder, "onnx/vision_model.onnx");
    writeFileSync(vision, withExternalData(readFileSync(vision), "weights.bin").graph);
    hub.addRepo(clip, folder);
    await expect(pull(clip)).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("onnx/weights.bin, which is missing in someone/Tiny-CLIP"),
    });
  });

  it("refuses a switch it does not serve before any weights are fetched", async () => {
    const processor = configWith("tiny-clip", "preprocessor_config.json", { do_pad: true });
    hub.addRepo(clip, folderWith("tiny-clip", { "preprocessor_config.json": processor }));
    await expect(pull(clip)).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining('"do_pad"'),
    });
    expect(fetchedGraphs()).toBe(0);
  });

  it("removes what an unfinished pull left", async () => {
    hub.next("onnx/vision_model.onnx", { status: 418 });
    await expect(pull(clip)).rejects.toMatchObject({ code: "hub_failed" });
    const unfinished = join(dataDir, "models/.pull/tiny-clip");
    expect(existsSync(join(unfinished, text))).toBe(true);
    await removeModel(dataDir, "tiny-clip");
    expect(existsSync(unfinished)).toBe(false);
    await expect(removeModel(dataDir, "tiny-clip")).rejects.toMatchObject({
      code: "model_not_found",
    });
  });
});

function filesOf(tiny: string): Record<string, Buffer> {
  const folder = goldenPath(tiny);
  const names = [
    "config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "logit.json",
  ];
  const graphs = readdirSync(join(folder, "onnx")).map((name) => `onnx/${name}`);
  return Object.fromEntries(
    [...names, ...graphs].map((path) => [path, readFileSync(join(folder, path))]),
  );
}
