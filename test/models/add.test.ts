import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { lockProcesses } from "../../src/index/embedded/process-lock.js";
import { addModel, filesOf, removeModel } from "../../src/models/add.js";
import { installedIds, pullFolder } from "../../src/models/store.js";
import { goldenPath } from "../helpers/golden.js";
import { loadPack } from "../helpers/packs.js";

/** Only a disk that is full, or fills up, has to be made up. */
vi.mock("node:fs", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs")>();
  return { ...original, statfsSync: vi.fn(original.statfsSync) };
});
vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs/promises")>();
  return { ...original, open: vi.fn(original.open) };
});

const about = { id: "mine", source: "owner/name", logitScale: 100 };
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "crossmodal-add-"));
});

describe("addModel", () => {
  it("copies what a hub cache's links point to, so that the pack outlives the cache", async () => {
    const cache = mkdtempSync(join(tmpdir(), "crossmodal-cache-"));
    const repo = join(cache, "models--a--b");
    const [blobs, snapshot] = [join(repo, "blobs"), join(repo, "snapshots", "main")];
    mkdirSync(blobs, { recursive: true });
    const configs = [
      "config.json",
      "preprocessor_config.json",
      "tokenizer_config.json",
      "tokenizer.json",
    ];
    for (const path of [...configs, "onnx/text_model.onnx", "onnx/vision_model.onnx"]) {
      mkdirSync(dirname(join(snapshot, path)), { recursive: true });
      const content = readFileSync(join(goldenPath("tiny-clip"), path));
      const blob = join(blobs, createHash("sha256").update(content).digest("hex"));
      writeFileSync(blob, content);
      symlinkSync(blob, join(snapshot, path));
    }
    const manifest = await addModel(snapshot, dataDir, about);
    for (const { path } of filesOf(manifest))
      expect(lstatSync(join(dataDir, "models/mine", path)).isFile(), path).toBe(true);
    rmSync(cache, { recursive: true });
    const pack = await loadPack(dataDir, "mine");
    expect(await pack.encoders.text!.encode(["a cat"])).toHaveLength(1);
    await pack.close();
  });

  it("leaves no model in the list while it is not whole", async () => {
    await addModel(goldenPath("tiny-clip"), dataDir, about);
    cpSync(join(dataDir, "models/mine"), join(dataDir, `models/.other.${process.ppid}.0`), {
      recursive: true,
    });
    expect(installedIds(dataDir)).toEqual(["mine", "starter-clap", "starter-clip"]);
  });

  it("removes what an add left that was killed, and nothing of one that runs", async () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    for (const pid of [gone, process.ppid, process.pid]) {
      mkdirSync(join(dataDir, `models/.other.${pid}.7`), { recursive: true });
      writeFileSync(join(dataDir, `models/.other.${pid}.7/model.onnx`), "half");
    }
    mkdirSync(join(dataDir, "models/.pull/begun"), { recursive: true });
    await addModel(goldenPath("tiny-clip"), dataDir, about);
    // The third has this process's number but is not its own: an earlier process had the number.
    expect(readdirSync(join(dataDir, "models")).sort()).toEqual([
      `.other.${process.ppid}.7`,
      ".pull",
      "mine",
    ]);
  });

  it("lets one of two adds of an id at once win and tells the other that it is there", async () => {
    const results = await Promise.allSettled(
      [1, 2].map(() => addModel(goldenPath("tiny-clip"), dataDir, about)),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "already_exists" },
    });
    expect(readdirSync(join(dataDir, "models"))).toEqual(["mine"]);
    expect(existsSync(join(dataDir, "models/mine/onnx/text_model.onnx"))).toBe(true);
  });

  it("says in one line that the data folder is a file", async () => {
    const file = join(dataDir, "file");
    writeFileSync(file, "");
    await expect(addModel(goldenPath("tiny-clip"), file, about)).rejects.toMatchObject({
      code: "storage_failed",
    });
  });

  it("answers storage_full when the disk is full, or fills up, and leaves nothing", async () => {
    const add = addModel(goldenPath("tiny-clip"), dataDir, about);
    const room = { ...statfsSync(dataDir), bavail: 1, bsize: 1000 };
    vi.mocked(statfsSync).mockReturnValueOnce(room as ReturnType<typeof statfsSync>);
    await expect(add).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringContaining("its disk has 1000 left"),
    });
    const full = Object.assign(new Error("ENOSPC: no space left on device"), {
      code: "ENOSPC",
      syscall: "open",
    });
    const real = vi.mocked(open).getMockImplementation()!;
    vi.mocked(open).mockImplementation((path, flags, mode) =>
      flags === "wx" ? Promise.reject(full) : real(path, flags, mode),
    );
    const again = addModel(goldenPath("tiny-clip"), dataDir, about);
    await expect(again).rejects.toMatchObject({ code: "storage_full" });
    vi.mocked(open).mockImplementation(real);
    expect(readdirSync(join(dataDir, "models"))).toEqual([]);
  });

  it("copies nothing else than what it described, whatever is put there meanwhile", async () => {
    const folder = join(dataDir, "source");
    cpSync(goldenPath("tiny-clip"), folder, { recursive: true });
    const graph = join(folder, "onnx/vision_model.onnx");
    const real = vi.mocked(open).getMockImplementation()!;
    vi.mocked(open).mockImplementation((path, flags, mode) => {
      // The first copy begins: what follows is exchanged
      if (flags === "wx") {
        rmSync(graph);
        writeFileSync(graph, "something else");
        vi.mocked(open).mockImplementation(real);
      }
      return real(path, flags, mode);
    });
    const error = { code: "model_corrupt" };
    await expect(addModel(folder, dataDir, about)).rejects.toMatchObject(error);
    expect(readdirSync(join(dataDir, "models"))).toEqual([]);
  });
});

describe("removeModel", () => {
  it("is refused while a pull of the model is under way, and names its process", async () => {
    await addModel(goldenPath("tiny-clip"), dataDir, about);
    const unfinished = pullFolder(dataDir, "mine");
    const unlock = await lockProcesses(`${unfinished}.lock`);
    mkdirSync(unfinished);
    const refused = {
      code: "conflict",
      message: expect.stringContaining(`Process ${process.pid} is pulling "mine"`),
    };
    await expect(removeModel(dataDir, "mine")).rejects.toMatchObject(refused);
    expect(existsSync(join(dataDir, "models/mine/manifest.json"))).toBe(true);
    expect(existsSync(unfinished)).toBe(true);
    unlock();
    await removeModel(dataDir, "mine");
    expect(existsSync(join(dataDir, "models/mine"))).toBe(false);
    expect(existsSync(unfinished)).toBe(false);
    await expect(removeModel(dataDir, "mine")).rejects.toMatchObject({ code: "model_not_found" });
  });

  it("makes no lock for a model that does not exist, and keeps those that are shipped", async () => {
    await expect(removeModel(dataDir, "mime")).rejects.toMatchObject({ code: "model_not_found" });
    await expect(removeModel(dataDir, "starter-clip")).rejects.toMatchObject({
      code: "invalid_input",
    });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it.each(["..", ".", "../..", ".pull", "mine/onnx", ""])(
    "refuses the invalid id %j and removes nothing",
    async (id) => {
      await addModel(goldenPath("tiny-clip"), dataDir, about);
      mkdirSync(join(dataDir, "models/.pull/begun"), { recursive: true });
      await expect(removeModel(dataDir, id)).rejects.toMatchObject({ code: "model_not_found" });
      expect(existsSync(join(dataDir, "models/mine/manifest.json"))).toBe(true);
      expect(existsSync(join(dataDir, "models/.pull/begun"))).toBe(true);
    },
  );
});
