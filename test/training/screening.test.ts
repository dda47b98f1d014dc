import { describe, expect, it } from "vitest";
import {
  type ScreeningFinding,
  screenPairs,
  suspiciousPairs,
} from "../../src/training/screening.js";
import { screenInWorker } from "../../src/training/train-in-worker.js";
import { formulaMatrix, randomUnitRows, unitRows } from "../helpers/matrices.js";

const dimensions = 16;
const count = 200;
const topics = randomUnitRows(10, dimensions, 1);

/** Pairs of ten topics: both sides lie around their topic, each caption is its own. */
function cleanPairs() {
  const side = (seed: number) => {
    const noise = randomUnitRows(count, dimensions, seed);
    const rows = formulaMatrix(
      count,
      dimensions,
      (i, d) => topics.data[(i % 10) * dimensions + d] + 0.5 * noise.data[i * dimensions + d],
    );
    return { values: Float32Array.from(unitRows(rows).data), dimensions };
  };
  return { a: side(2), b: side(3) };
}

const copyRow = (rows: { values: Float32Array }, from: number, to: number) =>
  rows.values.copyWithin(to * dimensions, from * dimensions, (from + 1) * dimensions);
const of = (findings: ScreeningFinding[], kind: ScreeningFinding["kind"]) =>
  findings.filter((f) => f.kind === kind);

describe("screenPairs", () => {
  it("finds the same in rows of any length", () => {
    const { a, b } = cleanPairs();
    copyRow(b, 3, 4);
    copyRow(a, 1, 2);
    const scaled = (rows: { values: Float32Array; dimensions: number }, factor: number) => ({
      ...rows,
      values: rows.values.map((x) => factor * x),
    });
    const found = screenPairs(a, b).map(({ kind, pairs }) => ({ kind, pairs }));
    expect(found.length).toBeGreaterThan(0);
    const ofScaled = screenPairs(scaled(a, 3), scaled(b, 10));
    expect(ofScaled.map(({ kind, pairs }) => ({ kind, pairs }))).toEqual(found);
  });

  it("finds nothing in clean pairs", () => {
    const { a, b } = cleanPairs();
    expect(screenPairs(a, b)).toEqual([]);
  });

  it("lists pairs whose sides belong to different topics, and no others", () => {
    const { a, b } = cleanPairs();
    const row = (i: number) => b.values.slice(i * dimensions, (i + 1) * dimensions);
    const [three, four] = [row(3), row(4)]; // exchange the captions of pairs 3 and 4
    b.values.set(four, 3 * dimensions);
    b.values.set(three, 4 * dimensions);
    const findings = of(screenPairs(a, b), "mismatched");
    expect(findings.flatMap(({ pairs }) => pairs).sort()).toEqual([3, 4]);
    expect(findings[0].score).toBeGreaterThanOrEqual(findings[1].score);
  });

  it("lists an item that lies where nothing else does", () => {
    const { a, b } = cleanPairs();
    const away = topics.data.slice(0, dimensions).map((x) => -x);
    a.values.set(Float32Array.from(away), 7 * dimensions);
    expect(of(screenPairs(a, b), "isolated_a").map(({ pairs }) => pairs)).toEqual([[7]]);
  });

  it("lists one caption on unlike items, but not on items of one topic", () => {
    const { a, b } = cleanPairs();
    for (const i of [11, 22, 33, 44, 55]) copyRow(b, 0, i); // pairs 0, 11, 22, … are of six topics
    for (const i of [19, 29, 39, 49, 59]) copyRow(b, 9, i); // pairs 9, 19, 29, … are of one
    const findings = of(screenPairs(a, b), "repeated_caption");
    expect(findings).toEqual([
      { kind: "repeated_caption", pairs: [0, 11, 22, 33, 44, 55], score: 6 },
    ]);
  });

  it("lists near-duplicates with different captions, once", () => {
    const { a, b } = cleanPairs();
    copyRow(a, 1, 2);
    copyRow(b, 5, 2);
    expect(of(screenPairs(a, b), "near_duplicate").map(({ pairs }) => pairs)).toEqual([[1, 2]]);
  });
});

describe("screenInWorker", () => {
  it("finds what screenPairs finds", async () => {
    const { a, b } = cleanPairs();
    copyRow(a, 1, 2);
    expect(await screenInWorker(a, b)).toEqual(screenPairs(a, b));
  });
});

describe("suspiciousPairs", () => {
  it("names each pair once, in order", () => {
    const findings: ScreeningFinding[] = [
      { kind: "mismatched", pairs: [9], score: 5 },
      { kind: "near_duplicate", pairs: [9, 2], score: 1 },
    ];
    expect(suspiciousPairs(findings)).toEqual([2, 9]);
  });
});
