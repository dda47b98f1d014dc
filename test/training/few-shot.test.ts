import { describe, expect, it } from "vitest";
import { softmax } from "../../src/math/softmax.js";
import {
  cacheLogits,
  fitCacheAdapter,
  fitLinearProbe,
  type LabelledItems,
  linearProbeLogits,
} from "../../src/training/few-shot.js";
import { fewShotAccuracy } from "../../src/training/few-shot-accuracy.js";
import { readFewShot, writeFewShot } from "../../src/training/few-shot-file.js";
import { formulaMatrix, randomUnitRows, unitRows } from "../helpers/matrices.js";

const dimensions = 16;
const classes = 4;
const centers = randomUnitRows(classes, dimensions, 1);

/** Items that scatter around the direction of their class. */
function items(count: number, seed: number): LabelledItems {
  const noise = randomUnitRows(count, dimensions, seed);
  const rows = formulaMatrix(
    count,
    dimensions,
    (i, d) => centers.data[(i % classes) * dimensions + d] + noise.data[i * dimensions + d],
  );
  return {
    values: Float32Array.from(unitRows(rows).data),
    dimensions,
    labels: Int32Array.from({ length: count }, (_, i) => i % classes),
    classes,
  };
}

/** Class texts that know little of the classes. */
const texts = {
  weights: Float32Array.from(randomUnitRows(classes, dimensions, 2).data),
  logitScale: 10,
};
const row = ({ values }: LabelledItems, i: number) =>
  values.slice(i * dimensions, (i + 1) * dimensions);
const accuracy = (test: LabelledItems, logits: (f: Float32Array) => Float64Array) => {
  const hits = [...test.labels].filter((label, i) => {
    const of = logits(row(test, i));
    return of.indexOf(Math.max(...of)) === label;
  });
  return hits.length / test.labels.length;
};

describe("cacheLogits", () => {
  it("adds alpha to the class of a stored item and almost nothing elsewhere at a large beta", () => {
    const train = items(8, 3);
    const adapter = { kind: "cache" as const, ...train, alpha: 2, beta: 1e4 };
    const plain = cacheLogits({ ...adapter, alpha: 0 }, texts, row(train, 5));
    const logits = cacheLogits(adapter, texts, row(train, 5));
    // beta magnifies the rounding of a float32 cosine of 1: 1e4 times 6e-8 of 2.
    for (let c = 0; c < classes; c++) expect(logits[c] - plain[c]).toBeCloseTo(c === 1 ? 2 : 0, 1);
  });
});

describe("fitCacheAdapter", () => {
  it("beats the texts alone on other items", () => {
    const adapter = fitCacheAdapter(items(32, 3), texts);
    const test = items(200, 4);
    const zeroShot = accuracy(test, (f) => cacheLogits({ ...adapter, alpha: 0 }, texts, f));
    expect(accuracy(test, (f) => cacheLogits(adapter, texts, f))).toBeGreaterThan(zeroShot + 0.2);
  });

  it("predicts each item from the others no worse than the texts alone", () => {
    const train = items(24, 5);
    const adapter = fitCacheAdapter(train, texts);
    const others = (i: number) => {
      const kept = [...train.labels.keys()].filter((k) => k !== i);
      const values = Float32Array.from(kept.flatMap((k) => [...row(train, k)]));
      return { ...adapter, values, labels: Int32Array.from(kept, (k) => train.labels[k]) };
    };
    const loss = (alpha: number) =>
      train.labels.reduce(
        (sum, label, i) =>
          sum -
          Math.log(softmax(cacheLogits({ ...others(i), alpha }, texts, row(train, i)))[label]),
        0,
      );
    expect(loss(adapter.alpha)).toBeLessThan(loss(0));
  });
});

describe("fitCacheAdapter with one item a class", () => {
  it("takes the defaults, for nothing can be left out", () => {
    expect(fitCacheAdapter(items(4, 3), texts)).toMatchObject({ alpha: 1, beta: 5.5 });
  });
});

describe("fitLinearProbe", () => {
  it("stops where the gradient is zero", () => {
    const train = items(40, 6);
    const l2 = 1e-2;
    const probe = fitLinearProbe(train, { l2 });
    const count = train.labels.length;
    for (let c = 0; c < classes; c++) {
      for (let d = 0; d < dimensions; d++) {
        let gradient = l2 * probe.weights[c * dimensions + d];
        for (let i = 0; i < count; i++) {
          const p = softmax(linearProbeLogits(probe, row(train, i)));
          gradient += ((p[c] - (train.labels[i] === c ? 1 : 0)) * row(train, i)[d]) / count;
        }
        expect(Math.abs(gradient)).toBeLessThan(2e-6); // it stops at 1e-6; float32 weights add 1e-7
      }
    }
  });

  it("learns classes that a line separates", () => {
    const probe = fitLinearProbe(items(80, 3));
    expect(accuracy(items(200, 4), (f) => linearProbeLogits(probe, f))).toBeGreaterThan(0.8);
  });

  it("refuses a label that is not a class", () => {
    expect(() => fitLinearProbe({ ...items(8, 3), classes: 2 })).toThrow("not one of 2 classes");
  });
});

describe("items that are not of length 1", () => {
  const scaled = { ...items(32, 3), values: items(32, 3).values.map((x) => 8 * x) };

  it("make the same adapters as unit rows", () => {
    const cache = fitCacheAdapter(items(32, 3), texts);
    const { alpha, beta, values } = fitCacheAdapter(scaled, texts);
    expect([alpha, beta]).toEqual([cache.alpha, cache.beta]);
    for (const [k, value] of values.entries()) expect(value).toBeCloseTo(cache.values[k], 6);
    const probe = fitLinearProbe(items(32, 3));
    const ofScaled = fitLinearProbe(scaled);
    for (const [k, value] of ofScaled.weights.entries())
      expect(value).toBeCloseTo(probe.weights[k], 4);
  });

  it.each([Number.NaN, 0])("are refused where a row holds %d", (value) => {
    const broken = { ...scaled, values: scaled.values.slice().fill(value, 16, 32) };
    const refusal = expect.objectContaining({ code: "invalid_input", param: "a" });
    expect(() => fitLinearProbe(broken)).toThrow(refusal);
    expect(() => fitCacheAdapter(broken, texts)).toThrow(refusal);
  });
});

describe("writeFewShot", () => {
  const labels = ["cat", "dog", "bird", "fish"];
  it.each([fitCacheAdapter(items(8, 3), texts), fitLinearProbe(items(8, 3))])(
    "comes back as it was ($kind)",
    (adapter) => {
      expect(readFewShot(writeFewShot({ adapter, labels }))).toEqual({ adapter, labels });
    },
  );
  it("refuses a file with too few labels", () => {
    const bytes = writeFewShot({ adapter: fitLinearProbe(items(8, 3)), labels: ["cat"] });
    expect(() => readFewShot(bytes)).toThrow("4 classes and 1 labels");
  });
});

describe("fewShotAccuracy", () => {
  it("is the share of items that adapters of the others get right", () => {
    const task = { kind: "probe", items: items(40, 5) } as const;
    const found = fewShotAccuracy(task)!;
    expect(found).toMatchObject({ items: 40, folds: 10 });
    // Of the same kind as a test set that was never seen
    const probe = fitLinearProbe(task.items);
    const unseen = accuracy(items(400, 6), (f) => linearProbeLogits(probe, f));
    expect(Math.abs(found.accuracy - unseen)).toBeLessThan(0.2);
    const [low, high] = found.interval;
    expect(low).toBeLessThanOrEqual(found.accuracy);
    expect(high).toBeGreaterThanOrEqual(found.accuracy);
  });

  it("is at chance where labels mean nothing, though the probe fits them", () => {
    const noise = randomUnitRows(80, dimensions, 8);
    const labels = Int32Array.from({ length: 80 }, (_, i) => i % 4);
    const values = Float32Array.from(noise.data);
    const task = { kind: "probe", items: { values, dimensions, labels, classes: 4 } } as const;
    expect(fewShotAccuracy(task)!.accuracy).toBeLessThan(0.45);
  });

  it("keeps groups together: copies of an item in the other folds tell nothing", () => {
    const noise = randomUnitRows(16, dimensions, 8);
    const places = Array.from({ length: 64 }, (_, i) => i >> 2); // each four times
    const values = Float32Array.from(
      places.flatMap((i) => [...noise.data.slice(i * dimensions, (i + 1) * dimensions)]),
    );
    const labels = Int32Array.from(places, (i) => i % 4);
    const items = { values, dimensions, labels, classes: 4 };
    const task = { kind: "probe", items, options: { l2: 1e-4 } } as const;
    expect(fewShotAccuracy(task)!.accuracy).toBeGreaterThan(0.9);
    const together = fewShotAccuracy({ ...task, groups: places.map(String) })!;
    expect(together).toMatchObject({ items: 64, folds: 10 });
    expect(together.accuracy).toBeLessThan(0.5);
    // Sixteen draws, not 64
    expect(together.interval[1] - together.interval[0]).toBeGreaterThan(0.2);
  });

  it("asks for the texts of a cache, and about no item that is the only one of its label", () => {
    const cache = { kind: "cache", items: items(12, 7), texts } as const;
    expect(fewShotAccuracy(cache)).toMatchObject({ items: 12 });
    expect(fewShotAccuracy({ kind: "cache", items: items(4, 7), texts })).toBeUndefined();
  });
});
