import { describe, expect, it } from "vitest";
import { equalRows, groupCount } from "../../src/math/equal-rows.js";
import { seededRandom } from "../../src/math/random.js";
import { rowsOf } from "../../src/math/rows.js";
import { normalize } from "../../src/math/vector.js";

describe("equalRows", () => {
  it("gives equal rows one number, also where a batch has changed the last digits", () => {
    const random = seededRandom(1);
    const vector = () => normalize(Float64Array.from({ length: 384 }, () => random.normal()));
    const few = Array.from({ length: 5 }, vector);
    const order = Array.from({ length: 200 }, () => random.integer(5));
    const noisy = order.map((k) => few[k].map((x) => x + 1e-7 * random.normal()));
    const groups = equalRows(rowsOf(noisy));
    expect(groupCount(groups)).toBe(5);
    for (const [i, k] of order.entries())
      for (const [j, l] of order.entries()) expect(groups[i] === groups[j]).toBe(k === l);
  });

  it("keeps rows apart whose places on the direction are nearly the same", () => {
    const random = seededRandom(2);
    const vectors = Array.from({ length: 500 }, () =>
      normalize([random.normal(), random.normal(), random.normal()]),
    );
    expect(groupCount(equalRows(rowsOf(vectors)))).toBe(500);
  });
});
