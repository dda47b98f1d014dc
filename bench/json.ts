/**
 * Request bodies through the parser of src/json beside JSON.parse, in turns, in one process:
 *
 *     npx tsx bench/json.ts [--rounds 7] [--only WORD]
 *
 * With NODE_OPTIONS=--expose-gc garbage of one way is not charged to the other. Prints processor
 * time (that of the garbage collector included, which both need), its median ratio, and the longest
 * slice: what the event loop is held for in one go.
 */
import { JsonParser } from "../src/json/json-parser.js";
import { sliceMs } from "../src/json/next-turn.js";
import { seededRandom } from "../src/math/random.js";
import { readArguments } from "./read-arguments.js";

const { values } = readArguments(import.meta.url, {
  options: { rounds: { type: "string", default: "7" }, only: { type: "string", default: "" } },
});
const rounds = Number(values.rounds);
const { uniform } = seededRandom(1);

const rows = (count: number, write: (value: number) => string) =>
  `[${Array.from({ length: count }, () => `[${numbers(512, write)}]`)}]`;
const numbers = (count: number, write: (value: number) => string) =>
  Array.from({ length: count }, () => write(uniform() / 5 - 0.1)).join();
const base64 = (length: number) =>
  Buffer.from(Uint8Array.from({ length: (length / 4) * 3 }, () => uniform() * 256)).toString(
    "base64",
  );
const sentence = (i: number) => `A photo of number ${i}, taken on a rainy day in “Kraków”.`;
const item = (i: number) => ({
  id: `item-${i}`,
  text: sentence(i),
  metadata: { year: i, tag: "a" },
});
const list = <T>(length: number, make: (i: number) => T) =>
  Array.from({ length }, (_, i) => make(i));

const bodies: Record<string, () => string> = {
  "3,000 embeddings, 17 digits": () => `{"embeddings":${rows(3000, String)}}`,
  "3,000 embeddings, 7 digits": () => `{"embeddings":${rows(3000, (value) => value.toFixed(7))}}`,
  "500,000 numbers in one array": () => `[${numbers(500_000, String)}]`,
  "a picture of 12 MiB": () => JSON.stringify({ image: base64(12 * 2 ** 20) }),
  "200 pictures of 64 KiB": () => JSON.stringify({ input: list(200, () => base64(2 ** 16)) }),
  "20,000 items": () => JSON.stringify({ items: list(20_000, item) }),
  "50,000 sentences": () => JSON.stringify({ input: list(50_000, sentence) }),
  "a request of 200 bytes": () =>
    JSON.stringify({ model: "starter-clip", text: sentence(1), candidate_labels: list(5, String) }),
};

console.log("body                            MiB   JSON.parse   ours       ratio   longest slice");
for (const [name, make] of Object.entries(bodies)) {
  if (!name.includes(values.only)) continue;
  const bytes = Buffer.from(make());
  const repeats = Math.max(1, Math.round(2 ** 20 / bytes.length));
  const taken: { builtIn: number; ours: number; slice: number }[] = [];
  for (let round = -1; round < rounds; round++) {
    globalThis.gc?.();
    const builtIn = cpuMs(() => repeat(repeats, () => JSON.parse(bytes.toString())));
    globalThis.gc?.();
    let slice = 0;
    const ours = cpuMs(() =>
      repeat(repeats, () => {
        const parser = new JsonParser(bytes);
        for (let done = false; !done; ) {
          const runMs = cpuMs(() => {
            done = parser.run(performance.now() + sliceMs);
          });
          slice = Math.max(slice, runMs);
        }
      }),
    );
    if (round >= 0) taken.push({ builtIn, ours, slice }); // the first is for the compiler
  }
  const median = (of: (round: (typeof taken)[number]) => number) =>
    taken.map(of).sort((a, b) => a - b)[rounds >> 1];
  console.log(
    name.padEnd(30),
    (bytes.length / 2 ** 20).toFixed(1).padStart(5),
    ms(median((round) => round.builtIn) / repeats),
    ms(median((round) => round.ours) / repeats),
    median((round) => round.ours / round.builtIn)
      .toFixed(2)
      .padStart(8),
    ms(median((round) => round.slice)),
  );
}

function repeat(count: number, work: () => unknown): void {
  for (let i = 0; i < count; i++) work();
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function ms(value: number): string {
  return `${value < 1 ? value.toFixed(4) : value.toFixed(1)} ms`.padStart(12);
}
