import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeHead } from "../../src/encoders/head.js";
import { trainHead } from "../../src/training/train-head.js";
import { trainInWorker } from "../../src/training/train-in-worker.js";
import { labelledPairs, randomPairs, rotatedPairs } from "../helpers/pairs.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-training-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("trainHead", () => {
  it("undoes a rotation between the sides and says that retrieval improved", async () => {
    const { a, b, report } = await trainHead(
      rotatedPairs(300, { epochs: 40, learningRate: 0.01 }),
      { threads: 1 },
    );
    expect(a?.kind).toBe("linear");
    expect(b?.kind).toBe("linear");
    expect(report.verdict.improved).toBe(true);
    expect(report.measures.a_to_b_recall_at_1).toMatchObject({ says: "better" });
    expect(report.measures.a_to_b_recall_at_1.before).toBeLessThan(0.2);
    expect(report.measures.a_to_b_recall_at_1.after).toBeGreaterThan(0.8);
  });

  it("shows no improvement on held-out pairs when the pairs are random", async () => {
    const { report } = await trainHead(randomPairs(300, { epochs: 15, learningRate: 0.01 }), {
      threads: 1,
    });
    expect(report.verdict.improved).toBe(false);
    expect(report.verdict.reason).toMatch(/No improvement|No epoch/);
  });

  it("tests on the same pairs at any seed or exclusion, and compares with the active version", async () => {
    const request = rotatedPairs(120, { epochs: 40, learningRate: 0.01 });
    const good = await trainHead(request, { threads: 1 });
    const active = { version: 4, a: good.a, b: good.b };
    const options = { epochs: 1, learningRate: 1e-6, seed: 99 };
    const exclude = Array.from({ length: 20 }, (_, i) => i);
    const poor = await trainHead({ ...request, options, active, exclude }, { threads: 1 });
    expect(poor.report.measures.mean_reciprocal_rank.before).toBe(
      good.report.measures.mean_reciprocal_rank.before,
    );
    const { against, verdict } = poor.report;
    expect(against?.mean_reciprocal_rank.before).toBeCloseTo(
      good.report.measures.mean_reciprocal_rank.after,
      10,
    );
    expect(against?.mean_reciprocal_rank.says).toBe("worse");
    expect(verdict.improved).toBe(false);
    expect(verdict.reason).toContain("Worse than version 4, which is active");
  });

  it("leaves a locked side as it is", async () => {
    const request = rotatedPairs(200, { epochs: 20, learningRate: 0.01 });
    const { a, b, report } = await trainHead(
      { ...request, b: { ...request.b, head: "locked" } },
      { threads: 1 },
    );
    expect(a).toBeDefined();
    expect(b).toBeUndefined();
    expect(report.heads).toEqual({ a: "linear", b: "locked" });
    expect(report.verdict.improved).toBe(true);
  });

  it("measures zero-shot accuracy when pairs have labels", async () => {
    const { report } = await trainHead(labelledPairs(120, { epochs: 20, learningRate: 0.01 }), {
      threads: 1,
    });
    const { before, after } = report.measures.zero_shot_accuracy;
    expect(after).toBeGreaterThan(before);
    expect(report.data.labels).toBe(4);
  });

  it.each(["nt-xent", "debiased", "hard-negative", "nnclr", "sigmoid"] as const)(
    "lowers the %s loss",
    async (loss) => {
      const { report } = await trainHead(
        rotatedPairs(80, { loss, epochs: 8, learningRate: 0.01 }),
        { threads: 1 },
      );
      expect(report.epochs[7].trainLoss).toBeLessThan(report.epochs[0].trainLoss);
    },
  );

  it("reports what the heads forget on a probe set", async () => {
    const probe = randomPairs(60, {}).a.values; // both sides the same: perfect before
    const request = rotatedPairs(200, { epochs: 30, learningRate: 0.02 });
    const { report } = await trainHead(
      { ...request, probe: { a: probe, b: probe } },
      { threads: 1 },
    );
    expect(report.forgetting?.mean_reciprocal_rank.before).toBe(1);
    expect(report.verdict.forgets).toBe(true);
    expect(report.verdict.reason).toContain("On the probe set it fell");
  });

  it("gives the same weights and report for the same request", async () => {
    const request = rotatedPairs(100, { epochs: 4, mixup: 0.5 });
    const [one, other] = [
      await trainHead(request, { threads: 1 }),
      await trainHead(request, { threads: 1 }),
    ];
    expect(other).toEqual(one);
  });

  it("refuses what cannot be trained on and names the field", async () => {
    const request = rotatedPairs(40, {});
    await expect(trainHead({ ...request, labels: new Int32Array(3) })).rejects.toMatchObject({
      param: "labels",
    });
    await expect(trainHead(rotatedPairs(40, { loss: "expclr" }))).rejects.toMatchObject({
      param: "features",
    });
    await expect(trainHead(rotatedPairs(40, { epochs: 0 }))).rejects.toMatchObject({
      param: "epochs",
    });
    const values = request.a.values.slice();
    values[20] = Number.NaN;
    await expect(trainHead({ ...request, a: { ...request.a, values } })).rejects.toMatchObject({
      code: "invalid_input",
      param: "a",
    });
    const locked = {
      a: { ...request.a, head: "locked" as const },
      b: { ...request.b, head: "locked" as const },
    };
    await expect(trainHead({ ...request, ...locked })).rejects.toMatchObject({ param: "head" });
  });

  it("trains on labels of which one is rare, whatever the seed", async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const request = rotatedPairs(40, { loss: "nt-xent", epochs: 1, seed, batchSize: 8 });
      const labels = Int32Array.from({ length: 40 }, (_, i) => (i === 11 ? 1 : 0));
      const { report } = await trainHead({ ...request, labels });
      expect(report.data.labels).toBe(2);
    }
  });

  it("refuses pairs of one label and a split with one, except for losses that join labels", async () => {
    const request = rotatedPairs(40, { epochs: 1, loss: "nt-xent" });
    await expect(trainHead({ ...request, labels: new Int32Array(40) })).rejects.toMatchObject({
      code: "invalid_input",
      param: "labels",
    });
    const labels = Int32Array.from({ length: 40 }, (_, i) => (i < 30 ? 0 : i));
    const upTo = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => from + i);
    const split = { train: upTo(0, 30), validation: [], test: upTo(30, 40) };
    await expect(trainHead({ ...request, labels, split })).rejects.toMatchObject({
      code: "invalid_input",
      param: "split",
      message: expect.stringContaining("one label (of 11)"),
    });
    const joined = { ...request, options: { epochs: 1, loss: "supervised-contrastive" as const } };
    await trainHead({ ...joined, labels: new Int32Array(40) });
  });

  it("learns from features that are mostly alike, and refuses those that all are", async () => {
    const request = rotatedPairs(60, { epochs: 2, loss: "expclr" });
    const features = (of: (i: number) => number) => ({
      values: Float32Array.from({ length: 60 }, (_, i) => of(i)),
      dimensions: 1,
    });
    const rare = await trainHead({ ...request, features: features((i) => (i < 2 ? 1 : 0)) });
    for (const { trainLoss } of rare.report.epochs) expect(trainLoss).toBeGreaterThanOrEqual(0);
    await expect(trainHead({ ...request, features: features(() => 1) })).rejects.toMatchObject({
      code: "invalid_input",
      param: "features",
    });
  });

  it.each(["debiased", "hard-negative", "infonce"] as const)(
    "trains an odd number of pairs in batches of two: %s",
    async (loss) => {
      const split = { train: [0, 1, 2, 3, 4], validation: [], test: [5, 6, 7] };
      const request = rotatedPairs(8, { epochs: 1, loss, batchSize: 2 });
      const { report } = await trainHead({ ...request, split });
      expect(report.epochs[0].trainLoss).toBeGreaterThan(0);
    },
  );

  it("refuses a split whose parts overlap, and a row without direction", async () => {
    const request = rotatedPairs(40, {});
    const positions = [...Array(40).keys()];
    const split = { train: positions.slice(0, 30), validation: [], test: positions.slice(29) };
    await expect(trainHead({ ...request, split })).rejects.toMatchObject({
      code: "invalid_input",
      param: "split",
    });
    const values = request.b.values.slice().fill(0, 16, 32);
    await expect(trainHead({ ...request, b: { ...request.b, values } })).rejects.toThrow(
      'Row 1 of "b" is all zeros',
    );
  });

  it.each([8, 10, 12])(
    "measures %i pairs, of which hardly any are left to test on, in finite numbers",
    async (pairs) => {
      const { report } = await trainHead(rotatedPairs(pairs, { epochs: 1 }));
      const numbers = Object.values(report.measures).flatMap(
        ({ before, after, change, interval }) => [before, after, change, ...interval],
      );
      expect(numbers.filter((number) => !Number.isFinite(number))).toEqual([]);
    },
  );

  it("brings embeddings to unit length", async () => {
    const upTo = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => from + i);
    const split = { test: upTo(0, 12), validation: upTo(12, 20), train: upTo(20, 60) };
    const request = { ...rotatedPairs(60, { epochs: 2 }), split };
    const longer = { ...request, a: { ...request.a, values: request.a.values.map((x) => 3 * x) } };
    const [one, other] = [
      await trainHead(request, { threads: 1 }),
      await trainHead(longer, { threads: 1 }),
    ];
    const { before } = one.report.measures.alignment;
    // float32 rounding of the division: measured 7.5e-9.
    expect(Math.abs(other.report.measures.alignment.before - before)).toBeLessThan(1e-6);
  });

  it("ends with `cancelled` when the signal aborts", async () => {
    const controller = new AbortController();
    const run = trainHead(rotatedPairs(200, { epochs: 1000 }), {
      threads: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
  });

  it("refuses the checkpoint of another run", async () => {
    const checkpointPath = join(folder, "other.checkpoint");
    await trainHead(rotatedPairs(60, { epochs: 2 }), { threads: 1, checkpointPath });
    await expect(
      trainHead(rotatedPairs(60, { epochs: 3 }), { threads: 1, checkpointPath }),
    ).rejects.toMatchObject({
      code: "conflict",
    });
  });

  it("killed and resumed, ends with the weights of an uninterrupted run", async () => {
    const checkpointPath = join(folder, "killed.checkpoint");
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "test/helpers/train-child.ts", checkpointPath],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (text: Buffer) => {
        if (text.toString().includes("epoch 5\n")) child.kill("SIGKILL");
      });
      child.on("exit", (_, signal) =>
        signal === "SIGKILL" ? resolve() : reject(new Error("the child ended by itself")),
      );
    });
    expect(existsSync(checkpointPath)).toBe(true);
    const request = rotatedPairs(120, { epochs: 200, mixup: 0.5, patience: 0 });
    let resumedAt = 0;
    const resumed = await trainInWorker(request, {
      threads: 1,
      checkpointPath,
      onProgress: ({ epoch }) => {
        resumedAt ||= epoch;
      },
    });
    const uninterrupted = await trainHead(request, { threads: 1 });
    expect(resumedAt).toBeGreaterThan(5);
    expect(resumedAt).toBeLessThan(200);
    expect(writeHead(resumed.a!)).toEqual(writeHead(uninterrupted.a!));
    expect(writeHead(resumed.b!)).toEqual(writeHead(uninterrupted.b!));
    expect(resumed.report).toEqual(uninterrupted.report);
  });
});

describe("trainHead on 500 COCO pairs of CLIP ViT-B/16", () => {
  const pairs = () => {
    const file = readFileSync(
      new URL("../../fixtures/golden/modality_gap_clip_features.npy", import.meta.url),
    );
    const start = 10 + file.readUInt16LE(8); // npy 1.0: magic, version, header length, header
    const all = new Float32Array(
      file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length),
    );
    for (let row = 0; row < all.length; row += 512) {
      const length = Math.hypot(...all.subarray(row, row + 512));
      for (let d = 0; d < 512; d++) all[row + d] /= length;
    }
    return { a: all.slice(0, 500 * 512), b: all.slice(500 * 512) };
  };

  it("claims only what its held-out interval shows, and refuses random pairs", async () => {
    const { a, b } = pairs();
    const positions = Array.from({ length: 500 }, (_, i) => i);
    const split = {
      train: positions.slice(0, 340),
      validation: positions.slice(340, 400),
      test: positions.slice(400),
    };
    const run = (values: Float32Array) =>
      trainHead(
        { a: { values: a, dimensions: 512 }, b: { values, dimensions: 512 }, split },
        { threads: 1 },
      );
    const { report } = await run(b);
    const { before, after, interval } = report.measures.mean_reciprocal_rank;
    expect(before).toBeGreaterThan(0.8);
    expect(after).toBeGreaterThan(before);
    expect(report.verdict.improved).toBe(interval[0] > 0);
    const shifted = new Float32Array(b.length); // every picture gets another picture's caption
    shifted.set(b.subarray(512 * 7));
    shifted.set(b.subarray(0, 512 * 7), b.length - 512 * 7);
    const random = await run(shifted);
    expect(random.report.verdict.improved).toBe(false);
  });
});
