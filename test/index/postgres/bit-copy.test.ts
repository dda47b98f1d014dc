import { describe, expect, it } from "vitest";
import { BitCopy } from "../../../src/index/postgres/copies/bit-copy.js";
import type { NominationQuery } from "../../../src/index/postgres/copies/query-scan.js";
import { seededRandom } from "../../../src/math/random.js";
import { dot, normalize } from "../../../src/math/vector.js";
import { coneVector } from "../random-items.js";

const dimensions = 48;
const random = seededRandom(31);

describe("BitCopy", () => {
  const stored = new Map<number, { modality: number; vector: Float32Array }>();
  const copy = new BitCopy(dimensions, 64);
  const put = (seqs: readonly number[], vectorOf: (seq: number) => Float32Array) => {
    const rows = seqs.map((seq) => ({ seq, modality: seq % 3, vector: vectorOf(seq) }));
    for (const { seq, ...rest } of rows) stored.set(seq, rest);
    const vectors = new Float32Array(rows.length * dimensions);
    for (const [i, { vector }] of rows.entries()) vectors.set(vector, i * dimensions);
    copy.put(
      seqs,
      rows.map(({ modality }) => modality),
      vectors,
    );
  };
  const remove = (seqs: readonly number[]) => {
    for (const seq of seqs) stored.delete(seq);
    copy.remove(seqs);
  };
  const cone = () => coneVector(random, dimensions);
  /** Of few equal weights, as tags are: a large number now and then. */
  const tags = () => {
    const vector = new Float32Array(dimensions);
    for (let i = 0; i < 3; i++) vector[random.integer(dimensions)] = 1;
    return normalize(vector);
  };
  const seqs = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

  /** That nothing of the first K is left out, and that nothing else reaches the bound. */
  const expectWhole = (options: Partial<NominationQuery> = {}) => {
    for (let i = 0; i < 30; i++) {
      const vector = i % 2 === 0 ? cone() : tags();
      const query = { vector, k: 5, except: [], ...options };
      const [nominated] = copy.nominate([query]);
      const except = new Set(query.except);
      const ranked = [...stored]
        .filter(([seq, { modality }]) => {
          return !except.has(seq) && (query.modality ?? modality) === modality;
        })
        .map(([seq, one]) => ({ seq, similarity: dot(vector, one.vector) }))
        .filter(({ similarity }) => similarity >= (query.minSimilarity ?? -1))
        .sort((a, b) => b.similarity - a.similarity);
      const found = new Set(nominated?.seqs);
      for (const { seq } of ranked.slice(0, query.k)) expect(found).toContain(seq);
      for (const { seq, similarity } of ranked)
        if (!found.has(seq)) expect(similarity).toBeLessThan(nominated?.bound ?? -1);
      for (const seq of found) {
        expect(stored.has(seq)).toBe(true);
        expect(except).not.toContain(seq);
      }
    }
  };

  it("nominates at least the nearest, over pieces with scales of their own", () => {
    expect(copy.nominate([{ vector: cone(), k: 3, except: [] }])).toEqual([
      { seqs: [], bound: Number.NEGATIVE_INFINITY },
    ]);
    put(seqs(1, 150), cone);
    put(seqs(150, 300), tags);
    put([300], cone);
    expect(copy.rows).toBe(300);
    expectWhole();
    expectWhole({ modality: 1 });
    expectWhole({ minSimilarity: 0.5 });
    expectWhole({ k: 400 });
    expectWhole({ except: seqs(20, 120) });
  });

  it("forgets what is removed, and has the newest vector of what is put again", () => {
    remove(seqs(50, 140));
    remove([5000]);
    put(seqs(1, 40), tags);
    put(seqs(200, 280), cone);
    expect(copy.rows).toBe(210);
    expectWhole();
    put(seqs(50, 140), cone);
    expect(copy.rows).toBe(300);
    expectWhole();
    remove(seqs(1, 301));
    expect(copy.rows).toBe(0);
    put(seqs(7, 200), cone);
    expectWhole();
  });

  it("answers several queries as it answers each", () => {
    const queries = Array.from({ length: 7 }, (_, i) => ({ vector: cone(), k: i + 1, except: [] }));
    const apart = queries.flatMap((query) => copy.nominate([query]));
    const sorted = (seqs: number[] = []) => [...seqs].sort((a, b) => a - b);
    for (const [i, together] of copy.nominate(queries).entries()) {
      expect(together?.bound).toBe(apart[i]?.bound);
      expect(sorted(together?.seqs)).toEqual(sorted(apart[i]?.seqs));
    }
  });
});
