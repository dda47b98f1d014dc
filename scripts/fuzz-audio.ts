// npx tsx scripts/fuzz-audio.ts [COUNT] [SEED]: decodes damaged sound files of every format and compares what is accepted without
// a warning with ffmpeg's length. Faulty files are kept in a folder that is named. Exit code 1 when there are any.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../src/math/random.js";
import { fuzzOne, fuzzSeeds, mutate } from "../test/helpers/audio-fuzz.js";

const [count, seed] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 1)];
const random = seededRandom(seed);
const seeds = fuzzSeeds();
const tally: Record<string, Record<string, number>> = {};
let faults = 0;
const folder = mkdtempSync(join(tmpdir(), "crossmodal-fuzz-"));
console.error = () => undefined; // the decoders print every damaged frame
for (let i = 0; i < count; i++) {
  const { name, bytes } = seeds[i % seeds.length];
  const file = mutate(bytes, random);
  const { outcome, fault } = await fuzzOne(file);
  tally[name] ??= {};
  tally[name][fault === undefined ? outcome : "fault"] =
    (tally[name][fault === undefined ? outcome : "fault"] ?? 0) + 1;
  if (fault === undefined) continue;
  faults++;
  const path = join(folder, `${seed}-${i}-${name}`);
  writeFileSync(path, file);
  console.log(`${path}: ${fault}`);
}
console.table(tally);
process.exitCode = faults > 0 ? 1 : 0;
