// npx tsx scripts/fuzz-audio.ts [COUNT] [SEED]: decodes damaged sound files of every format and compares what is accepted without
// a warning with ffmpeg's length. Faulty files are written to ./fuzz-faults. Exit code 1 when there are any.
import { mkdirSync, writeFileSync } from "node:fs";
import { seededRandom } from "../src/math/random.js";
import { fuzzOne, fuzzSeeds, mutate } from "../test/helpers/audio-fuzz.js";

const [count, seed] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 1)];
const random = seededRandom(seed);
const seeds = fuzzSeeds();
const tally: Record<string, Record<string, number>> = {};
let faults = 0;
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
  mkdirSync("fuzz-faults", { recursive: true });
  writeFileSync(`fuzz-faults/${seed}-${i}-${name}`, file);
  console.log(`${i} ${name}: ${fault}`);
}
console.table(tally);
process.exitCode = faults > 0 ? 1 : 0;
