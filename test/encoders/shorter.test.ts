import { describe, expect, it } from "vitest";
import { cutTo } from "../../src/encoders/shorter.js";
import { fakePack } from "../helpers/fake-packs.js";

function pack(shorterDimensions?: number[] | { min: number }) {
  const made = fakePack("nested", 4);
  return { ...made, manifest: { ...made.manifest, shorterDimensions } };
}
const whole = [Float32Array.of(3, 4, 12, 84).map((value) => value / 85)];

describe("cutTo", () => {
  it("gives the first numbers at length 1, in a space of their own", () => {
    const { space, cut } = cutTo(pack([2]), 2);
    expect(space).toBe("nested@1:2");
    // 3-4-5: numpy's x[:2] / norm(x[:2])
    const [short] = cut(whole);
    expect([...short].map((value) => Math.fround(value * 5))).toEqual([3, 4]);
  });

  it.each([undefined, 4])("leaves embeddings whole for %s", (wanted) => {
    const { space, cut } = cutTo(pack(), wanted);
    expect(space).toBe("nested@1");
    expect(cut(whole)).toEqual(whole);
  });

  it.each([
    [undefined, 2, "none, it was not trained for them"],
    [[2], 3, "2"],
    [[2, 3], 1, "2, 3"],
    [[2], 8, "2"],
    [{ min: 2 }, 1, "2 to 3"],
    [{ min: 2 }, 5, "2 to 3"],
  ])("refuses what the manifest does not allow: %j, %d", (allowed, wanted, named) => {
    expect(() => cutTo(pack(allowed), wanted)).toThrow(
      expect.objectContaining({
        code: "invalid_input",
        param: "dimensions",
        message: `The model "nested" gives 4 dimensions, not ${wanted} (shorter ones: ${named})`,
      }),
    );
  });

  it("takes any length from a bound on", () => {
    expect(cutTo(pack({ min: 2 }), 3).cut(whole)[0].length).toBe(3);
  });

  it("says so when nothing is left of an embedding", () => {
    const { cut } = cutTo(pack([2]), 2);
    expect(() => cut([Float32Array.of(0, 0, 1, 0)])).toThrow(
      expect.objectContaining({ code: "inference_failed" }),
    );
  });
});
