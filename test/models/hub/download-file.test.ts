import { createHash } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { downloadFile, repositoryPath } from "../../../src/models/hub/download-file.js";
import { HubClient } from "../../../src/models/hub/hub-client.js";
import { hubSettings } from "../../../src/models/hub/hub-settings.js";
import type { HubFile } from "../../../src/models/hub/list-repo.js";
import { FakeHub, type Mishap } from "../../helpers/fake-hub.js";

/**
 * 2 MB that do not repeat: far more than a stream holds back, which is lost when its connection
 * breaks.
 */
const weights = Buffer.concat(
  Array.from({ length: 62_500 }, (_, i) => createHash("sha256").update(String(i)).digest()),
);
const sha256 = createHash("sha256").update(weights).digest("hex");
const config = Buffer.from('{"model_type": "clip"}');
const gitSha1 = createHash("sha1").update(`blob ${config.length}\0`).update(config).digest("hex");
const graph: HubFile = { path: "onnx/model.onnx", size: weights.length, sha256 };

describe("downloadFile", () => {
  let hub: FakeHub;
  let commit: string;
  let target: string;
  let clients: HubClient[];
  beforeAll(async () => {
    hub = await FakeHub.start();
    commit = hub.addRepo("owner/name", {
      "onnx/model.onnx": weights,
      "config.json": config,
    }).commit;
  });
  afterAll(() => hub.close());
  beforeEach(() => {
    target = join(mkdtempSync(join(tmpdir(), "crossmodal-download-")), "onnx/model.onnx");
    hub.requests.length = 0;
    clients = [];
  });
  afterEach(() => Promise.all(clients.map((client) => client.close())));

  const client = (environment: NodeJS.ProcessEnv = {}) => {
    const made = new HubClient(hubSettings({ HF_ENDPOINT: hub.url, ...environment }), {
      backoffMs: () => 1,
    });
    clients.push(made);
    return made;
  };
  const download = (
    file: HubFile = graph,
    options: { signal?: AbortSignal; onBytes?: (here: number) => void } = {},
  ) =>
    downloadFile(
      client(),
      repositoryPath({ repo: "owner/name", commit }, file),
      file,
      target,
      options,
    );
  const ranges = () =>
    hub
      .fetched("onnx/model.onnx")
      .filter(({ server }) => server === "files")
      .map(({ headers }) => headers.range);
  const leftovers = () => readdirSync(join(target, "..")).filter((name) => name !== "model.onnx");

  it("fetches a file whole, verified, and leaves nothing beside it", async () => {
    const seen: number[] = [];
    await download(graph, { onBytes: (here) => seen.push(here) });
    expect(readFileSync(target).equals(weights)).toBe(true);
    expect(leftovers()).toEqual([]);
    expect(seen.at(-1)).toBe(weights.length);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  });

  it("verifies small files by git's name for their content", async () => {
    await download({ path: "config.json", size: config.length, gitSha1 });
    expect(readFileSync(target).equals(config)).toBe(true);
    await expect(
      download({ path: "config.json", size: config.length, gitSha1: "0".repeat(40) }),
    ).rejects.toMatchObject({
      code: "hub_failed",
      message: expect.stringContaining(
        `expected the content ${"0".repeat(40)} but received ${gitSha1}`,
      ),
    });
  });

  it("takes size and hash from the answer's headers where the listing has none", async () => {
    hub.next("onnx/model.onnx", { wrong: true });
    await download({ path: "onnx/model.onnx" });
    expect(readFileSync(target).equals(weights)).toBe(true);
    expect(ranges()).toHaveLength(2);
  });

  it("continues where a connection broke, however often it breaks while bytes come", async () => {
    hub.next("onnx/model.onnx", ...Array.from({ length: 7 }, () => ({ breakAfter: 200_000 })));
    await download();
    expect(readFileSync(target).equals(weights)).toBe(true);
    expect(ranges()[0]).toBeUndefined();
    const starts = ranges()
      .slice(1)
      .map((range) => Number(range?.match(/\d+/)?.[0]));
    expect(starts).toHaveLength(7);
    expect(starts.every((start, i) => start > 0 && (i === 0 || start > starts[i - 1]))).toBe(true);
  });

  it("goes on in a later process, asking for the same version of the file", async () => {
    const controller = new AbortController();
    hub.next("onnx/model.onnx", { hangAfter: 100_000 });
    const stopped = download(graph, {
      signal: controller.signal,
      onBytes: (here) => here >= 100_000 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({
      code: "cancelled",
      message: expect.stringContaining("100000 of 2000000 bytes"),
    });
    expect(statSync(`${target}.part`).size).toBe(100_000);
    expect(existsSync(target)).toBe(false);

    await download();
    expect(ranges()).toEqual([undefined, "bytes=100000-"]);
    expect(hub.requests.at(-1)?.headers["if-range"]).toBe(`"cdn-${sha256.slice(0, 12)}"`);
    expect(readFileSync(target).equals(weights)).toBe(true);
  });

  it("does not go on with a part of another file", async () => {
    await expect(
      download({ ...graph, size: 2_000_001, sha256: "1".repeat(64) }),
    ).rejects.toMatchObject({
      code: "hub_failed",
    });
    writeFileSync(`${target}.part`, weights.subarray(0, 1000));
    writeFileSync(`${target}.part.json`, JSON.stringify({ identity: "2".repeat(64) }));
    hub.requests.length = 0;
    await download();
    expect(ranges()).toEqual([undefined]);
  });

  it.each<[string, Mishap[], number]>([
    ["a body that ends early", [{ endAfter: 50_000 }], 2],
    ["a connection that is reset", [{ resetAfter: 200_000 }], 2],
    ["wrong bytes, once", [{ wrong: true }], 2],
    ["500 and 503", [{ status: 500 }, { status: 503 }], 1],
    ["429 with Retry-After", [{ status: 429, headers: { "retry-after": "0" } }], 1],
    ["a server that ignores Range", [{ breakAfter: 200_000 }, { ignoreRange: true }], 2],
    ["a server that sends another range", [{ breakAfter: 200_000 }, { otherRange: true }], 3],
  ])("recovers from %s", async (_, mishaps, fetches) => {
    hub.next("onnx/model.onnx", ...mishaps);
    await download();
    expect(readFileSync(target).equals(weights)).toBe(true);
    expect(leftovers()).toEqual([]);
    expect(ranges()).toHaveLength(fetches);
  });

  it("takes a connection that falls silent for broken", async () => {
    hub.next("onnx/model.onnx", { hangAfter: 200_000 });
    const impatient = new HubClient(hubSettings({ HF_ENDPOINT: hub.url }), {
      backoffMs: () => 1,
      silenceMs: 1000,
    });
    clients.push(impatient);
    await downloadFile(
      impatient,
      repositoryPath({ repo: "owner/name", commit }, graph),
      graph,
      target,
    );
    expect(ranges()).toHaveLength(2);
    expect(readFileSync(target).equals(weights)).toBe(true);
  });

  it("starts again when the file changes between tries, and takes only the announced one", async () => {
    const other = hub.addRepo("owner/changing", {
      "onnx/model.onnx": Buffer.from(weights).reverse(),
    });
    hub.next("onnx/model.onnx", { breakAfter: 200_000 });
    const changing = downloadFile(
      client(),
      repositoryPath({ repo: "owner/changing", commit: other.commit }, graph),
      graph,
      target,
      {
        // after the first piece the real content lies there
        onBytes: (here) => here > 0 && other.files.set("onnx/model.onnx", weights),
      },
    );
    await changing;
    expect(readFileSync(target).equals(weights)).toBe(true);

    other.files.set("onnx/model.onnx", Buffer.from(weights).reverse());
    await expect(
      downloadFile(
        client(),
        repositoryPath({ repo: "owner/changing", commit: other.commit }, graph),
        graph,
        `${target}2`,
      ),
    ).rejects.toMatchObject({
      code: "hub_failed",
      message: expect.stringMatching(/expected the sha256 .* repeatedly/),
    });
    expect(leftovers()).toEqual([]);
  });

  it("stops a server that sends more than it announced", async () => {
    await expect(download({ ...graph, size: 1000 })).rejects.toMatchObject({
      code: "hub_failed",
      message: expect.stringContaining("expected 1000 bytes but received more"),
    });
    expect(leftovers()).toEqual([]);
  });

  it.each<[string, Mishap, NodeJS.ProcessEnv, string, RegExp]>([
    ["401 without a token", { status: 401 }, {}, "hub_failed", /answered 401.*set HF_TOKEN/],
    [
      "401 with a token",
      { status: 401 },
      { HF_TOKEN: "hf_secret" },
      "hub_failed",
      /HF_TOKEN is not valid/,
    ],
    ["403", { status: 403 }, { HF_TOKEN: "hf_secret" }, "hub_failed", /accept the model's terms/],
    [
      "404",
      { status: 404, headers: { "x-error-code": "EntryNotFound" } },
      {},
      "model_not_found",
      /no such file/,
    ],
    ["418", { status: 418 }, {}, "hub_failed", /answered 418/],
    [
      "a redirect to a file",
      { redirect: "file:///etc/passwd" },
      {},
      "hub_failed",
      /redirects to a URL that is not https/,
    ],
  ])(
    "says what to do about %s, at once and without a secret",
    async (_, mishap, environment, code, message) => {
      hub.next("onnx/model.onnx", mishap);
      const failed = downloadFile(
        client(environment),
        repositoryPath({ repo: "owner/name", commit }, graph),
        graph,
        target,
      );
      const error = await failed.catch((caught) => caught);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
      expect(error.message).toContain(
        `${hub.url}/owner/name/resolve/${commit}/onnx/model.onnx`.slice(
          0,
          code === "hub_failed" ? 20 : 200,
        ),
      );
      expect(error.message).not.toMatch(/secret/);
      expect(hub.requests).toHaveLength(1);
    },
  );

  it("gives up after five failures in a row, naming the last, and shows no signature", async () => {
    hub.next("onnx/model.onnx", ...Array.from({ length: 5 }, () => ({ breakAfter: 0 })));
    const error = await download().catch((caught) => caught);
    expect(error).toMatchObject({
      code: "hub_failed",
      message: expect.stringMatching(/broke off at 0 bytes .* after 5 tries/),
    });
    expect(error.message).not.toContain("very-secret");
  });

  it("tells a hub's wish for a long wait instead of sitting it out", async () => {
    hub.next("onnx/model.onnx", { status: 429, headers: { "retry-after": "3600" } });
    await expect(download()).rejects.toMatchObject({
      message: expect.stringContaining("asks to wait 60 minutes"),
    });
  });

  it("follows redirects within the hub with the token and to other hosts without it", async () => {
    hub.next("onnx/model.onnx", { redirect: `/owner/name/resolve/${commit}/onnx/model.onnx` });
    await downloadFile(
      client({ HF_TOKEN: "hf_secret" }),
      repositoryPath({ repo: "owner/name", commit }, graph),
      graph,
      target,
    );
    const tokens = hub.requests.map(({ server, headers }) => [server, headers.authorization]);
    expect(tokens).toEqual([
      ["hub", "Bearer hf_secret"],
      ["hub", "Bearer hf_secret"],
      ["files", undefined],
    ]);
  });

  it.skipIf(!existsSync("/dev/full"))(
    "says that the disk is full, which file, and what is left",
    async () => {
      await download();
      writeFileSync(`${target}2.part.json`, JSON.stringify({ identity: sha256 }));
      symlinkSync("/dev/full", `${target}2.part`);
      await expect(
        downloadFile(
          client(),
          repositoryPath({ repo: "owner/name", commit }, graph),
          graph,
          `${target}2`,
        ),
      ).rejects.toMatchObject({
        code: "storage_full",
        message: expect.stringMatching(
          /disk is full: ".*model\.onnx2" is not complete\. 0 of 2000000 bytes of it are in/,
        ),
      });
    },
  );
});
