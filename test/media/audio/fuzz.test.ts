// slow: decodes 500 damaged files
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { seededRandom } from "../../../src/math/random.js";
import { fuzzSound, soundSeeds } from "../../helpers/audio-fuzz.js";
import { mutate } from "../../helpers/mutate.js";

// `npx tsx scripts/fuzz-media.ts sounds` tries 10,000.
describe("decodeAudio, 500 damaged files", () => {
  beforeEach(() => {
    // The decoders print every damaged frame
    vi.spyOn(console, "error").mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("refuses by design, warns, or agrees with ffmpeg on the length", async () => {
    const random = seededRandom(12);
    const seeds = soundSeeds();
    const faults: string[] = [];
    for (let i = 0; i < 500; i++) {
      const { name, bytes } = seeds[i % seeds.length];
      const { fault } = await fuzzSound(mutate(bytes, random));
      if (fault !== undefined) faults.push(`${i} ${name}: ${fault}`);
    }
    expect(faults).toEqual([]);
  }, 300_000);
});
