import { readFileSync } from "node:fs";
import type { Rows } from "../src/math/rows.js";
import {
  cacheLogits,
  fitCacheAdapter,
  fitLinearProbe,
  linearProbeLogits,
} from "../src/training/few-shot.js";
import type { Measure } from "../src/training/run-measures.js";
import { trainHead } from "../src/training/train-head.js";
import type { TrainingRequest } from "../src/training/training-request.js";
import { readArguments } from "./read-arguments.js";

// What does training gain on pairs that it did not see?
//   npx tsx bench/training-gain.ts                       500 COCO pairs of CLIP ViT-B/16, 8
//       splits of 400 and 100
//   npx tsx bench/training-gain.ts AUDIO TEXTS LABELS    labelled sounds
//
// AUDIO and TEXTS are what `crossmodal embed --json` wrote for the sounds and for one text a label
// (labels in alphabetical order), LABELS a CSV with file,label,label_id,fold,…

const { positionals } = readArguments(import.meta.url, { allowPositionals: true });
const [audioPath, textsPath, labelsPath] = positionals;
const line = (name: string, { before, after, interval, says }: Measure) =>
  `${name.padEnd(28)} ${before.toFixed(3)} -> ${after.toFixed(3)}   ` +
  `${interval.map((x) => x.toFixed(3)).join(" to ")}   ${says}`;

if (audioPath === undefined) await coco();
else await sounds(audioPath, textsPath, labelsPath);

async function coco() {
  const file = readFileSync(
    new URL("../fixtures/golden/modality_gap_clip_features.npy", import.meta.url),
  );
  const start = 10 + file.readUInt16LE(8); // npy 1.0: magic, version, header length, header
  const all = new Float32Array(
    file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length),
  );
  for (let row = 0; row < all.length; row += 512) {
    const length = Math.hypot(...all.subarray(row, row + 512));
    for (let d = 0; d < 512; d++) all[row + d] /= length;
  }
  const a: Rows = { values: all.slice(0, 500 * 512), dimensions: 512 };
  const b: Rows = { values: all.slice(500 * 512), dimensions: 512 };
  const shuffled: Rows = { values: new Float32Array(b.values.length), dimensions: 512 };
  shuffled.values.set(b.values.subarray(7 * 512));
  shuffled.values.set(b.values.subarray(0, 7 * 512), b.values.length - 7 * 512);
  for (const [name, captions] of [
    ["true pairs", b] as const,
    ["captions of other pictures", shuffled] as const,
  ]) {
    const changes: number[] = [];
    let improved = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const { report } = await trainHead({ a, b: captions, options: { seed } }, { threads: 1 });
      const {
        mean_reciprocal_rank: rank,
        a_to_b_recall_at_1: recallAToB,
        b_to_a_recall_at_1: back,
      } = report.measures;
      changes.push(rank.change);
      if (report.verdict.improved) improved++;
      console.log(line(`${name}, seed ${seed}: MRR`, rank));
      console.log(line("  recall@1 image to text", recallAToB));
      console.log(line("  recall@1 text to image", back));
    }
    const mean = changes.reduce((sum, change) => sum + change, 0) / changes.length;
    console.log(
      `${name}: mean change ${mean.toFixed(4)}, improved in ${improved} of ${changes.length} ` +
        "runs\n",
    );
  }
}

async function sounds(audioPath: string, textsPath: string, labelsPath: string) {
  const embedded = (path: string): { input: string; embedding: number[] }[] =>
    readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
  const [items, texts] = [embedded(audioPath), embedded(textsPath)];
  const rows = readFileSync(labelsPath, "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((row) => row.split(","));
  const rowOf = new Map(rows.map((row) => [row[0].split("/").pop(), row]));
  const of = items.map(({ input }) => rowOf.get(input.split("/").pop()) as string[]);
  const names = [...new Set(of.map(([, label]) => label))].sort();
  const labels = Int32Array.from(of, ([, label]) => names.indexOf(label));
  const folds = of.map((row) => Number(row[3]));
  const dimensions = items[0].embedding.length;
  const matrix = (vectors: number[][]): Rows => ({
    values: Float32Array.from(vectors.flat()),
    dimensions,
  });
  const a = matrix(items.map(({ embedding }) => embedding));
  const b = matrix([...labels].map((label) => texts[label].embedding));
  const where = (fits: (i: number) => boolean) => [...folds.keys()].filter(fits);
  const test = where((i) => folds[i] === 4);
  const seen = where((i) => folds[i] < 4);
  const split = {
    test,
    validation: seen.filter((_, k) => k % 5 === 4),
    train: seen.filter((_, k) => k % 5 !== 4),
  };
  const variants: [string, Partial<TrainingRequest>][] = [
    ["infonce, linear both sides", {}],
    ["infonce, text locked", { b: { ...b, head: "locked" } }],
    ["supervised, linear", { options: { loss: "supervised-contrastive" } }],
    [
      "infonce, residual audio",
      { a: { ...a, head: { kind: "residual" } }, b: { ...b, head: "locked" } },
    ],
  ];
  for (const [name, variant] of variants) {
    const { report } = await trainHead({ a, b, labels, split, ...variant }, { threads: 1 });
    console.log(`${name}: ${report.verdict.reason}`);
    console.log(line("  zero-shot accuracy", report.measures.zero_shot_accuracy));
  }
  const classes = texts.length;
  const row = (i: number) => a.values.slice(i * dimensions, (i + 1) * dimensions);
  const accuracy = (logits: (f: Float32Array) => Float64Array) => {
    const hits = test.filter((i) => {
      const scores = logits(row(i));
      return scores.indexOf(Math.max(...scores)) === labels[i];
    });
    return (hits.length / test.length).toFixed(3);
  };
  const zeroShot = {
    weights: matrix(texts.map(({ embedding }) => embedding)).values,
    logitScale: 20,
  };
  for (const shots of [1, 2, 4, 8, 16]) {
    const chosen = [...Array(classes).keys()].flatMap((c) =>
      seen.filter((i) => labels[i] === c).slice(0, shots),
    );
    const values = Float32Array.from(chosen.flatMap((i) => [...row(i)]));
    const few = { values, dimensions, labels: Int32Array.from(chosen, (i) => labels[i]), classes };
    const cache = fitCacheAdapter(few, zeroShot);
    const probe = fitLinearProbe(few);
    console.log(
      `${shots} per label: zero-shot ` +
        `${accuracy((f) => cacheLogits({ ...cache, alpha: 0 }, zeroShot, f))}, ` +
        `cache ${accuracy((f) => cacheLogits(cache, zeroShot, f))} (alpha ${cache.alpha}, beta ` +
        `${cache.beta}), ` +
        `linear probe ${accuracy((f) => linearProbeLogits(probe, f))}`,
    );
  }
}
