import { describe, expect, it } from "vitest";
import { denseRegions } from "../../src/collections/dense-regions.js";
import { nearestWords, regionMeans } from "../../src/collections/region-names.js";
import { rowsOf } from "../../src/math/rows.js";

/** Clouds of points: [x, y, count] each, side by side within 0.01. */
const cloudsOf = (...clouds: [number, number, number][]) =>
  Float32Array.from(
    clouds.flatMap(([x, y, count]) =>
      Array.from({ length: count }, (_, i) => [x + 0.01 * (i / count), y]).flat(),
    ),
  );

describe("denseRegions", () => {
  it("finds the clouds, at each grid, with their points and means", () => {
    const points = cloudsOf([0, 0, 20], [10, 0, 12], [10, 8, 8], [4, 4, 1]);
    const regions = denseRegions(points);
    for (const width of new Set(regions.map((one) => one.width))) {
      const found = regions.filter((one) => one.width === width);
      expect(found.map(({ count }) => count)).toEqual([20, 12, 8]);
      expect(found[1].x).toBeCloseTo(10 + 0.01 * (11 / 24), 5);
      expect(found[2].members).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
    }
    expect(regions[0].width).toBeCloseTo(10.01 / 4, 2);
  });

  it("has none where there are no points, or all are one", () => {
    expect(denseRegions(new Float32Array(0))).toEqual([]);
    expect(denseRegions(new Float32Array(40))).toEqual([]);
  });
});

describe("names of regions", () => {
  it("are the nearest words once each modality's own mean is taken away", () => {
    // Texts lie 10 along the last axis, pictures -10: the gap names nothing.
    const items = [
      [1, 0, 10],
      [0, 1, 10],
      [1, 0, -10],
      [0, 1, -10],
    ];
    const rows = { ...rowsOf(items), kinds: Uint8Array.from([0, 0, 1, 1]) };
    const means = regionMeans(rows, [{ members: [0, 2] }, { members: [1] }, { members: [0, 1] }]);
    expect([...means.values]).toEqual([0.5, -0.5, 0, -0.5, 0.5, 0, 0, 0, 0]);
    const words = rowsOf([
      [0.9, 0.1, 3],
      [0.1, 0.9, 3],
    ]);
    const nearest = nearestWords({ means, words });
    expect(nearest.words).toEqual([0, 1, -1]);
    expect(nearest.cosines[0]).toBeCloseTo(1, 5);
  });
});
