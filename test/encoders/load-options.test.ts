import { describe, expect, it } from "vitest";
import { fixture } from "../helpers/fixtures.js";
import { cosine } from "../helpers/golden.js";
import { loadPack } from "../helpers/packs.js";

const pictures = ["cat.jpg", "clock.webp", "horse.png", "rocket.avif"];

describe("PackLoader with resize: fast", () => {
  it("is another space than exact, the default, near it", async () => {
    const exact = await loadPack("data", "starter-clip");
    const fast = await loadPack("data", "starter-clip", "auto", { resize: "fast" });
    const named = await loadPack("data", "starter-clip", "auto", { resize: "exact" });
    try {
      expect(fast.space).not.toBe(exact.space);
      expect(named.space).toBe(exact.space);
      for (const file of pictures) {
        const [a, b] = await Promise.all(
          [exact, fast].map(async ({ media, encoders }) => {
            const bytes = fixture(`images/${file}`);
            const image = await media.decodeImage(bytes, { maxPixels: 1e8 });
            return (await encoders.image!.encode([image]))[0];
          }),
        );
        // Measured over fixtures/images: .9983 at least, .9993 in the middle
        // (docs/preprocessing.md).
        expect(cosine(a, b), file).toBeGreaterThan(0.997);
        expect(cosine(a, b), file).toBeLessThan(1);
      }
    } finally {
      for (const pack of [exact, fast, named]) await pack.close();
    }
  });
});

describe("PackLoader with hopSeconds", () => {
  it("puts the windows of a long sound there, in another space", async () => {
    const own = await loadPack("data", "starter-clap");
    const wide = await loadPack("data", "starter-clap", "auto", { hopSeconds: 10 });
    try {
      expect(wide.space).not.toBe(own.space);
      const sound = {
        sampleRateHz: 8000,
        samples: Float32Array.from({ length: 8000 * 25 }, (_, i) => 0.1 * Math.sin(i)),
      };
      const starts = async (pack: typeof own) =>
        (await pack.encodeWindows!(sound)).windows.map(({ startSeconds }) => startSeconds);
      expect(await starts(own)).toEqual([0, 5, 10, 15]);
      expect(await starts(wide)).toEqual([0, 10, 15]);
    } finally {
      for (const pack of [own, wide]) await pack.close();
    }
  });

  it("refuses a hop that would leave parts of a sound out", async () => {
    await expect(
      loadPack("data", "starter-clap", "auto", { hopSeconds: 11 }),
    ).rejects.toMatchObject({
      code: "invalid_input",
      param: "hopSeconds",
    });
  });
});
