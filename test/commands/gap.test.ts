import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/command-line.js";
import { readNpy, writeNpy } from "../../src/math/npy.js";
import { goldenBytes } from "../helpers/golden.js";

const folder = mkdtempSync(join(tmpdir(), "crossmodal-gap-"));
const { data } = readNpy(goldenBytes("modality_gap_clip_features.npy"));
const save = (name: string, half: number) => {
  const rows = Float32Array.from(data.subarray(half * 256_000, (half + 1) * 256_000));
  writeFileSync(join(folder, name), writeNpy({ shape: [500, 512], data: rows }));
  return join(folder, name);
};

afterEach(() => vi.restoreAllMocks());

describe("crossmodal gap", () => {
  it("prints the gap and recall of two files and writes the page", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const out = join(folder, "gap.html");
    expect(await main(["gap", save("a.npy", 0), save("b.npy", 1), "--out", out])).toBe(0);
    expect(log.mock.calls.map(([line]) => line)).toEqual([
      "centroid gap 0.8514, centred 0.0279",
      "recall@1 both ways 0.552 / 0.506, centred 0.542 / 0.500",
    ]);
    expect(readFileSync(out, "utf8")).toContain("0.8514");
  });

  it("ends with 1 for a file that is not there and 2 for one that is not an array", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const a = save("a.npy", 0);
    expect(await main(["gap", a, join(folder, "none.npy")])).toBe(1);
    writeFileSync(join(folder, "text.npy"), "no array");
    expect(await main(["gap", a, join(folder, "text.npy")])).toBe(2);
    expect(error.mock.calls.flat().join("\n")).toContain("none.npy cannot be read");
  });

  it.each([
    ["a number that is not finite", [4, 3], Number.NaN, '[3]" holds a number that is not finite'],
    ["too few rows", [2, 6], 1, '" but received 2'],
  ])("names the file and the row at fault: %s", async (_, shape, last, ending) => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const write = (name: string, number: number) => {
      const rows = Float32Array.from({ length: 12 }, (_, i) => (i === 11 ? number : i + 1));
      writeFileSync(join(folder, name), writeNpy({ shape, data: rows }));
      return join(folder, name);
    };
    const bad = write("bad.npy", last);
    const files = shape[0] === 2 ? [bad, bad] : [write("good.npy", 1), bad];
    expect(await main(["gap", ...files])).toBe(2);
    expect(error.mock.calls.flat().join("\n")).toContain(`"${bad}${ending}`);
  });
});
