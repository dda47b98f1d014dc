import { describe, expect, it } from "vitest";
import { SharedScans } from "../../../src/index/postgres/copies/shared-scans.js";

describe("SharedScans", () => {
  it("scans once for all that wait, eight at most, and fails only those of a scan that fails", async () => {
    const sizes: number[] = [];
    const scans = new SharedScans(async (id, queries) => {
      sizes.push(queries.length);
      await new Promise((resolve) => setImmediate(resolve));
      if (queries.some(({ k }) => k === 3)) throw new Error("gone");
      return queries.map(({ k }) => ({ seqs: [id, k], bound: 0 }));
    });
    const query = (k: number) => ({ vector: Float32Array.of(1), k, except: [] });
    const asked = Array.from({ length: 12 }, (_, k) => scans.nominate(7, query(k)));
    const other = scans.nominate(8, query(50));
    const settled = await Promise.allSettled(asked);
    expect(await other).toEqual({ seqs: [8, 50], bound: 0 });
    expect(sizes).toEqual([1, 1, 8, 3]);
    for (const [k, one] of settled.entries())
      expect(one).toMatchObject(
        k >= 1 && k <= 8 ? { status: "rejected" } : { value: { seqs: [7, k] } },
      );
    expect(await scans.nominate(7, query(1))).toEqual({ seqs: [7, 1], bound: 0 });
  });
});
