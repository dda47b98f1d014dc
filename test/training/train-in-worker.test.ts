import { describe, expect, it } from "vitest";
import { measureBridge } from "../../src/training/bridge-report.js";
import { type FewShotTask, fitFewShot } from "../../src/training/few-shot.js";
import { screenPairs } from "../../src/training/screening.js";
import { softRetrieve } from "../../src/training/text-pivot.js";
import {
  fewShotInWorker,
  measureBridgeInWorker,
  screenInWorker,
} from "../../src/training/train-in-worker.js";
import { randomUnitRows } from "../helpers/matrices.js";

const dimensions = 16;
const count = 200;
const rows = (seed: number) => ({
  values: Float32Array.from(randomUnitRows(count, dimensions, seed).data),
  dimensions,
});
const [a, b] = [rows(1), rows(2)];

const classes = 4;
const items = { ...a, labels: Int32Array.from({ length: count }, (_, i) => i % classes), classes };
const texts = {
  weights: Float32Array.from(randomUnitRows(classes, dimensions, 3).data),
  logitScale: 10,
};
const cache: FewShotTask = { kind: "cache", items, texts };
/** Its gradient is never small, and there is no end to the iterations. */
const endless: FewShotTask = {
  kind: "probe",
  items,
  options: { l2: Number.NaN, maxIterations: Number.POSITIVE_INFINITY },
};

const identity = Float32Array.from({ length: dimensions ** 2 }, (_, i) =>
  i % (dimensions + 1) === 0 ? 1 : 0,
);
const layer = {
  weight: identity,
  bias: new Float32Array(dimensions),
  dimensionsIn: dimensions,
  dimensionsOut: dimensions,
};
const labels = Array.from({ length: count }, (_, i) => `thing ${i}`);
const bridge = {
  head: { kind: "linear" as const, layers: [layer] as [typeof layer] },
  queries: { rows: a, labels },
  items: { rows: b, labels },
  textsFrom: a,
  textsTo: b,
};

describe("work in a training worker", () => {
  it.each([
    ["screening", (signal: AbortSignal) => screenInWorker(a, b, undefined, { signal })],
    ["a cache adapter", (signal: AbortSignal) => fewShotInWorker(cache, { signal })],
    [
      "the measuring of a bridge",
      (signal: AbortSignal) => measureBridgeInWorker(bridge, { signal }),
    ],
  ])("hears a cancellation once it has been sent: %s", async (_, work) => {
    const controller = new AbortController();
    const run = work(controller.signal);
    controller.abort(); // the thread is still starting: it must not get to the end
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
  });

  it("hears a cancellation in the middle of a fit that would never end", async () => {
    const controller = new AbortController();
    const run = fewShotInWorker(endless, { signal: controller.signal });
    setTimeout(() => controller.abort(), 1500); // most likely it is fitting by then
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
  });

  it.each([
    // 200 rows are 4 blocks
    ["screenPairs", (signal: AbortSignal) => screenPairs(a, b, {}, signal), 3 * 4],
    ["fitCacheAdapter", (signal: AbortSignal) => fitFewShot(cache, signal), (2 + 6 * 8) * count],
    ["measureBridge", (signal: AbortSignal) => measureBridge(bridge, signal), 3 * count],
    ["softRetrieve", (signal: AbortSignal) => softRetrieve(a, b, b, { signal }), count],
  ])(
    "looks for a cancellation between pieces of its work, to the last one: %s",
    (_, work, pieces) => {
      let looks = 0;
      const until = (last: number) =>
        ({
          get aborted() {
            return ++looks > last;
          },
        }) as AbortSignal;
      work(until(Number.POSITIVE_INFINITY));
      expect(looks).toBe(pieces);
      looks = 0;
      expect(() => work(until(pieces - 1))).toThrow(expect.objectContaining({ code: "cancelled" }));
    },
  );
});
