import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EmbeddedStore } from "../../../src/index/embedded/embedded-store.js";
import { openEmbeddedStore } from "../../../src/index/embedded/open-embedded-store.js";
import type { Centering } from "../../../src/index/query.js";
import { normalize } from "../../../src/math/vector.js";

// 500 pairs of a picture and its caption, embedded by CLIP ViT-B/32: fixtures/golden/README.md.
const file = readFileSync(
  new URL("../../../fixtures/golden/modality_gap_clip_features.npy", import.meta.url),
);
const header = 10 + file.readUInt16LE(8);
const numbers = new Float32Array(file.buffer.slice(file.byteOffset + header));
const row = (half: number, i: number) =>
  normalize(numbers.subarray((half * 500 + i) * 512, (half * 500 + i + 1) * 512));

describe("a corpus of pictures and texts", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "crossmodal-mixed-"));
  let store: EmbeddedStore;
  beforeAll(async () => {
    store = await openEmbeddedStore({ dataDir });
    await store.createCollection({ name: "mixed", space: "clip", dimensions: 512 });
    // Pictures 0 to 249 and the unrelated captions 250 to 499; the captions 0 to 249 ask for their
    // pictures.
    const pictures = Array.from({ length: 250 }, (_, i) => ({
      id: `image-${i}`,
      modality: "image" as const,
      embedding: row(0, i),
    }));
    const texts = Array.from({ length: 250 }, (_, i) => ({
      id: `text-${i}`,
      modality: "text" as const,
      embedding: row(1, 250 + i),
    }));
    await store.upsert("mixed", [...pictures, ...texts]);
  });
  afterAll(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true });
  });

  const recallAt10 = async (centering?: Centering) => {
    const queries = Array.from({ length: 250 }, (_, i) => ({
      embedding: row(1, i),
      topK: 10,
      centering,
    }));
    const results = await store.search("mixed", queries);
    return (
      results.filter(({ neighbors }, i) => neighbors.some(({ id }) => id === `image-${i}`)).length /
      250
    );
  };

  it("answers a text with texts alone unless it is centred, and then finds the pictures", async () => {
    // The published features give .000 and, with means taken over all 500 pairs, .484.
    expect(await recallAt10()).toBeLessThan(0.02);
    expect(await recallAt10({ queryModality: "text" })).toBeGreaterThan(0.4);
  });
});
