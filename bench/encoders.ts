/**
 * Encoder throughput beside the bare ONNX Runtime session: npm run bench -- [--models a,b] [--batch 16] [--rounds 5]
 *
 * For each tower: the graph alone on tensors made beforehand, the encoder on decoded input, and the whole way from file
 * bytes to embedding. The three take turns, so that what else the machine does weighs on all alike; the medians and their
 * ratios are printed.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import * as ort from "onnxruntime-node";
import type { Modality } from "../src/encoders/encoder.js";
import { PackLoader } from "../src/encoders/load.js";
import { modalities } from "../src/encoders/manifest.js";
import { startMediaWorkers } from "../src/encoders/preprocess/media-workers.js";
import { EmbeddingCache } from "../src/encoders/with-cache.js";
import { findManifest } from "../src/models/store.js";

const { values } = parseArgs({
  options: {
    models: { type: "string", default: "starter-clip,starter-clap" },
    "data-dir": { type: "string", default: "data" },
    batch: { type: "string", default: "16" },
    rounds: { type: "string", default: "5" },
  },
});
const batch = Number(values.batch);
const rounds = Number(values.rounds);

const image = new Uint8Array(readFileSync("fixtures/images/cat.jpg"));
const sound = new Uint8Array(readFileSync("fixtures/golden/media/audio/exact_48k_mono_10s.flac"));
const sentence = "the sound of rain falling on a tin roof";

const repeat = <T>(make: () => T): T[] => Array.from({ length: batch }, make);
const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Items a second over one batch. */
async function rate(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (1000 * batch) / (performance.now() - start);
}

const media = startMediaWorkers();
const cache = new EmbeddingCache(0);
const loader = new PackLoader({ device: "cpu", dtype: "auto", maxBatch: batch, maxQueued: 10_000, media, cache });
console.log(`batch ${batch}, median of ${rounds} rounds; items a second, and the ratio to the bare session\n`);
console.log("tower                     bare    encoder        from the file");
for (const id of values.models.split(",")) {
  const path = findManifest(values["data-dir"], id);
  const pack = await loader.load(path);
  for (const modality of modalities) {
    const tower = pack.manifest.towers[modality];
    const report = pack.towers.find((candidate) => candidate.modality === modality);
    if (tower === undefined || report === undefined) continue;
    const bare = await ort.InferenceSession.create(join(dirname(path), report.file), { executionProviders: ["cpu"] });
    const feeds = await feedsOf(modality, bare);
    const decodedImage = await media.decodeImage(image, { maxPixels: 1e8 });
    const decodedSound = await media.decodeAudio(sound, { maxSeconds: 60 });
    const { encoders } = pack;
    const ways: Record<string, () => Promise<unknown>> = {
      bare: () => bare.run(feeds),
      encoder: async () => {
        if (modality === "text") return encoders.text!.encode(repeat(() => sentence));
        if (modality === "image") return encoders.image!.encode(repeat(() => decodedImage));
        return encoders.audio!.encode(repeat(() => decodedSound));
      },
      file: async () => {
        if (modality === "text") return encoders.text!.encode(repeat(() => sentence));
        if (modality === "image") {
          return encoders.image!.encode(await Promise.all(repeat(() => media.decodeImage(image, { maxPixels: 1e8 }))));
        }
        return encoders.audio!.encode(await Promise.all(repeat(() => media.decodeAudio(sound, { maxSeconds: 60 }))));
      },
    };
    const rates: Record<string, number[]> = { bare: [], encoder: [], file: [] };
    for (let round = -1; round < rounds; round++) {
      for (const [name, work] of Object.entries(ways)) {
        const found = await rate(work);
        if (round >= 0) rates[name].push(found); // the first round warms up
      }
    }
    const [b, e, f] = [median(rates.bare), median(rates.encoder), median(rates.file)];
    const ratio = (x: number) => `${x.toFixed(1).padStart(7)} (${(x / b).toFixed(2)})`;
    console.log(
      `${`${id} ${modality} ${report.dtype}`.padEnd(24)}${b.toFixed(1).padStart(6)}  ${ratio(e)}  ${ratio(f)}`,
    );
    await bare.release();
  }
  await pack.dispose();
}
await media.close();

/** One batch of the same input, preprocessed beforehand. */
async function feedsOf(modality: Modality, session: ort.InferenceSession): Promise<Record<string, ort.Tensor>> {
  const [input] = session.inputMetadata;
  if (!input.isTensor) throw new TypeError("the graph's input is no tensor");
  const shape = input.shape.map((side, axis) => (typeof side === "number" ? side : axis === 0 ? batch : 0));
  if (modality === "text") {
    const length = 12;
    const ids = new ort.Tensor("int64", new BigInt64Array(batch * length).fill(1000n), [batch, length]);
    const mask = new ort.Tensor("int64", new BigInt64Array(batch * length).fill(1n), [batch, length]);
    const all: Record<string, ort.Tensor> = { input_ids: ids, attention_mask: mask };
    return Object.fromEntries(session.inputNames.map((name) => [name, all[name]]));
  }
  if (modality === "image") shape.splice(0, 4, batch, 3, 224, 224);
  else if (input.name === "mel") shape.splice(0, 4, batch, 1, 64, 500);
  else shape.splice(0, 4, batch, 1, 1001, 64);
  const data = new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(0.1);
  return { [input.name]: new ort.Tensor("float32", data, shape) };
}
