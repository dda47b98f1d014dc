// npx tsx scripts/fuzz-media.ts sounds|pictures [COUNT] [SEED]: decodes damaged files of every
// format. A sound that is accepted without a warning must have ffmpeg's length, a picture as many
// pixels as its size says. Faulty files are kept in a folder that is named. Exit code 1 when there
// are any.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../src/math/random.js";
import { fuzzSound, soundSeeds } from "../test/helpers/audio-fuzz.js";
import { mutate } from "../test/helpers/mutate.js";
import { fuzzPicture, pictureSeeds } from "../test/helpers/picture-fuzz.js";

const isPictures = process.argv[2] === "pictures";
const [count, seed] = [Number(process.argv[3] ?? 10_000), Number(process.argv[4] ?? 1)];
const random = seededRandom(seed);
const seeds = isPictures ? await pictureSeeds() : soundSeeds();
const tally: Record<string, Record<string, number>> = {};
let faults = 0;
const folder = mkdtempSync(join(tmpdir(), "crossmodal-fuzz-"));
console.error = () => undefined; // the decoders print every damaged frame
for (let i = 0; i < count; i++) {
  const { name, bytes } = seeds[i % seeds.length];
  const file = mutate(bytes, random);
  const { outcome, fault } = await (isPictures ? fuzzPicture(file) : fuzzSound(file));
  tally[name] ??= {};
  const counts = tally[name];
  const row = fault === undefined ? outcome : "fault";
  counts[row] = (counts[row] ?? 0) + 1;
  if ((i + 1) % 500 === 0) console.log(`${i + 1} of ${count} files, ${faults} faults`);
  if (fault === undefined) continue;
  faults++;
  const path = join(folder, `${seed}-${i}-${name}`);
  writeFileSync(path, file);
  console.log(`${path}: ${fault}`);
}
console.table(tally);
process.exitCode = faults > 0 ? 1 : 0;
