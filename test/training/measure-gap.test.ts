import { beforeAll, describe, expect, it } from "vitest";
import { readNpy } from "../../src/math/npy.js";
import { seededRandom } from "../../src/math/random.js";
import { type Rows, rowRange, rowsOf, take } from "../../src/math/rows.js";
import { heldOutGap } from "../../src/training/held-out-gap.js";
import { type GapReport, measureGap } from "../../src/training/measure-gap.js";
import { goldenBytes } from "../helpers/golden.js";
import { randomUnitRows } from "../helpers/matrices.js";

const { data } = readNpy(goldenBytes("modality_gap_clip_features.npy"));
const side = (modality: string, half: 0 | 1, rows = 500) => ({
  modality,
  values: Float32Array.from(data.subarray(half * 256_000, half * 256_000 + rows * 512)),
  dimensions: 512,
});
/** As the figures are printed: rounded to that many digits. */
const to = (digits: number, value: number | undefined) => Number((value as number).toFixed(digits));

describe("measureGap on 500 pairs of CLIP ViT-B/16 (reference implementations' figures)", () => {
  let report: GapReport;
  beforeAll(() => {
    report = measureGap({ a: side("image", 0), b: side("text", 1), paired: true });
  });

  it("measures where the modalities lie", () => {
    expect(to(4, report.centroid_gap)).toBe(0.8514);
    expect(to(4, report.relative_modality_gap!)).toBe(0.5915);
    expect(to(4, report.alignment!)).toBe(1.3802);
    expect([to(4, report.uniformity.a), to(4, report.uniformity.b)]).toEqual([-1.7945, -1.8409]);
    expect([to(4, report.mean_cosine.a), to(4, report.mean_cosine.b)]).toEqual([0.5315, 0.5152]);
    expect(report.linear_separability).toEqual({ centroids: 1, held_out: 1 });
  });

  it("finds that two dimensions carry 68.6 % of the squared gap and ten 80 %", () => {
    expect(report.gap_dimensions.slice(0, 2).map(({ dimension }) => dimension)).toEqual([442, 362]);
    expect(to(3, report.gap_share[2])).toBe(0.686);
    expect(to(2, report.gap_share[10])).toBe(0.8);
  });

  it("measures recall both ways, inside its interval", () => {
    const { a_to_b, b_to_a } = report.recall!;
    expect([to(3, a_to_b.at_1), to(3, b_to_a.at_1)]).toEqual([0.552, 0.506]);
    const [low, high] = a_to_b.intervals!.at_1;
    // The normal approximation: 1.96 sqrt(.552 * .448 / 500) = .0436 either side.
    expect(low).toBeCloseTo(0.552 - 0.0436, 2);
    expect(high).toBeCloseTo(0.552 + 0.0436, 2);
  });

  it.each([
    [-1, 1.4294, 0.37, 0.474, 2.3628, 5.3693, 6.1263],
    [-0.5, 1.1958, 0.458, 0.5, 2.052, 5.1202, 6.0989],
    [-0.25, 1.0392, 0.516, 0.528, 1.8805, 4.982, 6.0834],
    [0, 0.8514, 0.552, 0.506, 1.8009, 4.8479, 6.0676],
    [0.25, 0.6315, 0.532, 0.49, 1.9493, 4.7363, 6.0533],
    [0.5, 0.3831, 0.466, 0.45, 2.4704, 4.6685, 6.0424],
    [0.75, 0.1149, 0.384, 0.394, 3.3699, 4.659, 6.0369],
    [1, -0.1605, 0.324, 0.328, 4.4368, 4.7057, 6.0378],
  ])(
    "shifted by %d: distance %d, R@1 %d and %d, losses %d, %d, %d",
    (delta, distance, aToB, bToA, ...losses) => {
      const point = report.shift_curve!.find((one) => one.delta === delta)!;
      expect([to(4, point.distance), to(3, point.a_to_b_at_1), to(3, point.b_to_a_at_1)]).toEqual([
        distance,
        aToB,
        bToA,
      ]);
      expect(
        ["0.01", "0.1", "1"].map((temperature) => to(4, point.losses[temperature as "1"])),
      ).toEqual(losses);
    },
  );

  it("closes the gap by centring without loss of recall", () => {
    const { centroid_gap, recall, relative_modality_gap } = report.centered;
    expect([to(4, centroid_gap), to(4, relative_modality_gap!)]).toEqual([0.0279, 0.4063]);
    expect([to(3, recall!.a_to_b.at_1), to(3, recall!.b_to_a.at_1)]).toEqual([0.542, 0.5]);
  });

  it("does so with means of other pairs too, and rescues a mixed corpus", () => {
    const half = (rows: Rows, from: number) => rowRange(rows, from, from + 250);
    const sides = (from: number) => ({
      a: half(side("image", 0), from),
      b: half(side("text", 1), from),
    });
    const sameRow = (i: number, j: number) => i === j;
    // The reference fits on the first half and measures on the second.
    const { recall, centered, mixed_corpus } = heldOutGap(sides(0), sides(250), sameRow);
    expect(to(4, centered.centroid_gap)).toBe(0.1226);
    expect([to(3, recall!.a_to_b.at_1), to(3, recall!.b_to_a.at_1)]).toEqual([0.66, 0.608]);
    expect([to(3, centered.recall!.a_to_b.at_1), to(3, centered.recall!.b_to_a.at_1)]).toEqual([
      0.66, 0.632,
    ]);
    expect([
      to(3, mixed_corpus!.before.at_10),
      to(3, mixed_corpus!.before.mean_reciprocal_rank),
    ]).toEqual([0, 0.004]);
    // The reference prints .174 from .17346: 0.1735 to four digits.
    expect(to(3, mixed_corpus!.centered.at_10)).toBe(0.484);
    expect(mixed_corpus!.centered.mean_reciprocal_rank).toBeCloseTo(0.17346, 4);
  });

  it("draws the modalities apart along the first axis", () => {
    const { a, b, explained } = report.projection;
    const mean = (points: [number, number][]) =>
      points.reduce((sum, [x]) => sum + x, 0) / points.length;
    expect(Math.abs(mean(a!) - mean(b!))).toBeGreaterThan(0.8);
    expect(explained[0]).toBeGreaterThan(explained[1]);
  });
});

/**
 * All figures but the points, which are in the order of the rows; sums in another order differ by
 * 1e-12.
 */
/** @param rowOf  the row that a row of the request stands for. */
function figures({ projection: { explained }, ...rest }: GapReport, rowOf = (row: number) => row) {
  const round = (name: string, x: unknown) =>
    typeof x !== "number" ? x : name === "row" ? rowOf(x) : Number(x.toFixed(9));
  return JSON.stringify({ explained, ...rest }, round);
}

describe("measureGap", () => {
  it("leaves out what needs pairs when there are none, and takes sets of different size", () => {
    const report = measureGap({ a: side("image", 0, 60), b: side("text", 1, 40), paired: false });
    expect(report).toMatchObject({
      recall: null,
      alignment: null,
      shift_curve: null,
      items: { a: 60, b: 40 },
    });
    expect(report.centroid_gap).toBeGreaterThan(0.8);
    expect(report.held_out).toMatchObject({ recall: null, mixed_corpus: null });
  });

  it("measures above 2,000 pairs on a seeded sample, says so, and gives a density", () => {
    const rows = (seed: number) => ({
      modality: "image",
      values: Float32Array.from(randomUnitRows(2600, 8, seed).data),
      dimensions: 8,
    });
    const [a, b] = [rows(1), rows(2)];
    const report = measureGap({ a, b, paired: true });
    expect(report).toMatchObject({ items: { a: 2600, b: 2600 }, sample: { a: 2000, b: 2000 } });
    const { density } = report.projection;
    expect(density!.a.reduce((sum, count) => sum + count, 0)).toBe(2600);
    const order = seededRandom(9).permutation(2600);
    const shuffled = [a, b].map((rows) => ({ ...rows, ...take(rows, order) }));
    const again = measureGap({ a: shuffled[0], b: shuffled[1], paired: true });
    expect(figures(again, (row) => order[row])).toBe(figures(report));
  });

  it("has the same held-out figures in whatever order the pairs come", () => {
    const count = 300;
    const [a, b] = [1, 2].map((seed) => ({
      modality: "x",
      values: Float32Array.from(randomUnitRows(count, 8, seed).data),
      dimensions: 8,
    }));
    for (let k = 0; k < count * 4; k++) a.values[k] += 0.5; // the first half is of another class
    const order = seededRandom(9).permutation(count);
    const sorted = measureGap({ a, b, paired: true });
    const shuffled = measureGap({
      a: { ...a, ...take(a, order) },
      b: { ...b, ...take(b, order) },
      paired: true,
    });
    expect(figures(shuffled, (row) => order[row])).toBe(figures(sorted));
  });

  it.each([1, 8, 512])("keeps its figures within their bounds at %i dimensions", (dimensions) => {
    const rows = (make: (i: number) => number[]) => ({
      modality: "x",
      values: Float32Array.from(Array.from({ length: 100 }, (_, i) => make(i)).flat()),
      dimensions,
    });
    const random = seededRandom(4);
    const row = () => Array.from({ length: dimensions }, () => random.normal());
    const point = row();
    const many = Array.from({ length: 100 }, row);
    const collapsed = measureGap({ a: rows(() => point), b: rows(() => point), paired: true });
    expect(collapsed).toMatchObject({
      relative_modality_gap: 0,
      alignment: 0,
      mean_cosine: { a: 1, b: 1 },
      uniformity: { a: 0, b: 0 },
      centered: { relative_modality_gap: 0 },
    });
    // One direction at different lengths is one point too.
    const scaled = rows((i) => point.map((x) => x * (1 + i)));
    expect(measureGap({ a: scaled, b: scaled, paired: true }).relative_modality_gap).toBe(0);
    const equal = measureGap({ a: rows((i) => many[i]), b: rows((i) => many[i]), paired: true });
    expect(equal).toMatchObject({ relative_modality_gap: 0, alignment: 0 });
    expect(equal.mean_cosine.a).toBeLessThanOrEqual(1);
  });

  it("takes pairs with an equal row for right answers to each other", () => {
    // Four captions, three pictures each: without it recall@1 would be 0 for a perfect model
    const caption = (i: number) => Math.floor(i / 3);
    const unit = (at: number) => Array.from({ length: 8 }, (_, d) => (d === at ? 1 : 0));
    const picture = (i: number) =>
      unit(caption(i)).map((x, d) => x + (d === 4 + (i % 3) ? 0.1 : 0));
    const rows = (modality: string, of: (i: number) => number[]) => ({
      modality,
      ...rowsOf(Array.from({ length: 12 }, (_, i) => of(i))),
    });
    const report = measureGap({
      a: rows("image", picture),
      b: rows("text", (i) => unit(caption(i))),
      paired: true,
    });
    expect(report.distinct).toEqual({ a: 12, b: 4 });
    expect(report.recall).toMatchObject({ a_to_b: { at_1: 1 }, b_to_a: { at_1: 1 } });
  });

  it("stays finite when all rows are the same", () => {
    const same = () => ({ modality: "text", values: new Float32Array(32).fill(1), dimensions: 4 });
    const report = measureGap({ a: same(), b: same(), paired: true });
    expect(report.centroid_gap).toBeCloseTo(0, 6);
    expect(report).toMatchObject({ recall: null, shift_curve: null, distinct: { a: 1, b: 1 } });
    expect(JSON.stringify(report, (_, x) => (Number.isNaN(x) ? "NaN" : x))).not.toContain("NaN");
  });

  it.each([
    [Number.NaN, /not finite/],
    [0, /all zeros/],
  ])("names the row that holds %d", (value, message) => {
    const b = side("text", 1, 6);
    b.values.fill(value, 3 * 512, 4 * 512);
    const run = () => measureGap({ a: side("image", 0, 6), b, paired: true });
    expect(run).toThrow(message);
    expect(run).toThrow(
      expect.objectContaining({ code: "invalid_input", param: "b.embeddings[3]" }),
    );
  });
});
