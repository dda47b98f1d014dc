import { expect, it } from "vitest";
import { seededRandom } from "../../../src/math/random.js";
import { mutate } from "../../helpers/mutate.js";
import { fuzzPicture, pictureSeeds } from "../../helpers/picture-fuzz.js";

// `npx tsx scripts/fuzz-media.ts pictures` tries 10,000.
it("decodes 500 damaged pictures whole or refuses them by design", async () => {
  const random = seededRandom(12);
  const seeds = await pictureSeeds();
  const faults: string[] = [];
  for (let i = 0; i < 500; i++) {
    const { name, bytes } = seeds[i % seeds.length];
    const { fault } = await fuzzPicture(mutate(bytes, random));
    if (fault !== undefined) faults.push(`${i} ${name}: ${fault}`);
  }
  expect(faults).toEqual([]);
}, 300_000);
