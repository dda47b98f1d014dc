import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, describe, expect, it } from "vitest";
import { Activity } from "../../src/activity.js";
import type { CollectionMap } from "../../src/collections/collection-maps.js";
import { type NamingParts, nameRegions } from "../../src/collections/name-regions.js";
import { nearestWords } from "../../src/collections/region-names.js";
import type { Encoder } from "../../src/encoders/encoder.js";
import { rowsOf } from "../../src/math/rows.js";
import { ReferenceBank } from "../../src/zero-shot/reference-bank.js";
import { fakeEmbedding, fakePack } from "../helpers/fake-packs.js";

const dimensions = 32;
const folder = mkdtempSync(join(tmpdir(), "crossmodal-names-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A model that embeds no further batch of texts until `go` is called for it. */
function haltingModel() {
  const pack = fakePack("slow", dimensions);
  const text = pack.encoders.text as Encoder<"text">;
  const waiting: (() => void)[] = [];
  let isFree = false;
  const encode: typeof text.encode = async (texts) => {
    if (!isFree) await new Promise<void>((resolve) => waiting.push(resolve));
    return text.encode(texts);
  };
  const free = () => {
    isFree = true;
    for (const go of waiting) go();
  };
  return {
    pack: { ...pack, encoders: { ...pack.encoders, text: { ...text, encode } } },
    waiting,
    free,
  };
}

describe("nameRegions", () => {
  it("says how many words are embedded while a model is slow, and names at the end", async () => {
    const { pack, waiting, free } = haltingModel();
    const region = { x: 0, y: 0, count: 5, width: 1 };
    const map = {
      collection: "photos",
      regions: [region],
      means: rowsOf([fakeEmbedding("a photo of lighthouse", dimensions)]),
      centroids: [{ modality: "image", count: 5, x: 0, y: 0 }],
    } as unknown as CollectionMap;
    const parts = {
      store: { stats: async () => ({ name: "photos", space: pack.space, options: {} }) },
      packs: { list: () => [pack] },
      bridges: { active: () => [] },
      heads: { use: () => undefined },
      referenceBank: new ReferenceBank({
        folder,
        log: pino({ level: "silent" }),
        activity: new Activity(),
      }),
      maps: {
        nearestWords: async ({ means }: CollectionMap, words: never) =>
          nearestWords({ means, words }),
      },
    } as unknown as NamingParts;
    expect(await nameRegions(parts, map, 1)).toEqual({ names: [], progress: 0 });
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]();
    await expect.poll(() => waiting.length).toBe(2);
    const { names, progress } = await nameRegions(parts, map, 1);
    expect(names).toEqual([]);
    expect(progress).toBeGreaterThan(0);
    expect(progress).toBeLessThan(1);
    free();
    const done = await nameRegions(parts, map, 60_000);
    expect(done.progress).toBe(1);
    expect(done.names).toHaveLength(1);
  });
});
