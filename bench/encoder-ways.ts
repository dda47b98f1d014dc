/**
 * The ways from inputs to embeddings that bench/encoders.ts compares; each embeds `batches` batches
 * of one input file.
 */
import { join } from "node:path";
import type { PretrainedModelOptions } from "@huggingface/transformers";
import * as ort from "onnxruntime-node";
import { loadConfig } from "../src/config.js";
import type { Modality } from "../src/encoders/encoder.js";
import { imageSide, type Manifest } from "../src/encoders/manifest.js";
import { normalized } from "../src/encoders/preprocess/normalize-pixels.js";
import { loadTokenizer } from "../src/encoders/preprocess/tokenizer.js";
import { createLog } from "../src/log.js";
import { decodeAudio } from "../src/media/audio/decode-audio.js";
import type { Media } from "../src/media/media.js";
import { startServer } from "../src/server.js";

/** What is embedded over and over. Texts take turns, so that they differ as a user's would. */
export interface Inputs {
  image: Uint8Array;
  audio: Uint8Array;
  texts: readonly string[];
}

/**
 * What so many batches took: by the clock, and of processor time in all threads of this process.
 */
export interface Cost {
  ms: number;
  cpuMs: number;
}

export interface Way {
  run(batches: number): Promise<Cost>;
  close(): Promise<unknown>;
}

function startClock(): () => Cost {
  const begin = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { ms: performance.now() - begin, cpuMs: (user + system) / 1000 };
  };
}

export interface Setting {
  folder: string;
  manifest: Manifest;
  modality: Modality;
  file: string;
  batch: number;
  threads: number;
  inputs: Inputs;
}

/** ONNX Runtime alone, in this thread, on tensors made beforehand. */
export async function bareSession(
  setting: Setting,
  media: Media,
  tokenizerJson: string,
): Promise<Way> {
  const { folder, file, threads, batch } = setting;
  const options = { executionProviders: ["cpu"], intraOpNumThreads: threads };
  const session = await ort.InferenceSession.create(join(folder, file), options);
  const all = await tensorsOf(setting, media, tokenizerJson);
  const feeds = Object.fromEntries(
    session.inputNames.map((name) => [name, all[name] ?? all.media]),
  );
  const output = setting.manifest.towers[setting.modality]!.outputs.find((name) =>
    session.outputNames.includes(name),
  )!;
  return timesBatches(
    async () => {
      const { [output]: embeddings } = await session.run(feeds, [output]);
      if (embeddings.dims[0] !== batch)
        throw new RangeError(`expected ${batch} embeddings but received ${embeddings.dims}`);
    },
    () => session.release(),
  );
}

async function tensorsOf(
  { manifest, modality, batch, inputs }: Setting,
  media: Media,
  tokenizerJson: string,
) {
  const { text, image, audio } = manifest.towers;
  if (modality === "text") {
    const { inputIds, attentionMask, shape } = loadTokenizer(
      tokenizerJson,
      text!.preprocess,
    ).encode(textsOf(inputs, batch));
    return {
      input_ids: new ort.Tensor("int64", inputIds, shape),
      attention_mask: new ort.Tensor("int64", attentionMask, shape),
    } as Record<string, ort.Tensor>;
  }
  let one: Float32Array;
  let shape: number[];
  if (modality === "image") {
    const side = imageSide(image!.preprocess);
    const picture = await media.decodeImage(inputs.image, { maxPixels: 1e8 });
    const spec = image!.preprocess;
    one = normalized(await media.imagePixels(picture, spec), spec);
    shape = [3, side, side];
  } else {
    const sound = await media.decodeAudio(inputs.audio, { maxSeconds: 60 });
    const tensors = await media.audioTensors(sound, audio!.preprocess);
    [one, shape] = [tensors.windows[0].tensor, tensors.shape];
  }
  const data = new Float32Array(batch * one.length);
  for (let i = 0; i < batch; i++) data.set(one, i * one.length);
  const isLonger = new ort.Tensor("bool", new Uint8Array(batch), [batch, 1]);
  return {
    media: new ort.Tensor("float32", data, [batch, ...shape]),
    is_longer: isLonger,
  } as Record<string, ort.Tensor>;
}

const textsOf = ({ texts }: Inputs, n: number) =>
  Array.from({ length: n }, (_, i) => texts[i % texts.length]);

/**
 * The product: files and texts to POST /v1/embeddings of a server in this process, one input a
 * request, from so many clients that two batches are under way: while one is in the graph, the next
 * is decoded and preprocessed. Its rate is that of a server that stays busy: the clock starts with
 * the last answer of the second batch and stops with the last of a later one, while the clients go
 * on; what they still wait for then is not counted.
 */
export async function server(
  { manifest, modality, batch, threads, inputs }: Setting,
  dataDir: string,
): Promise<Way> {
  const config = {
    ...loadConfig({ environment: {} }),
    ...{
      dataDir,
      models: [manifest.id],
      device: "cpu",
      threads,
      port: 0,
      cacheBytes: 0,
      maxBatch: batch,
    },
  };
  const running = await startServer(config, createLog("silent"));
  // No two are equal: the server computes equal ones under way once. Bytes behind a file change its
  // hash, not its contents.
  const inputOf = (i: number) =>
    modality === "text"
      ? `${inputs.texts[i % inputs.texts.length]} ${i}`
      : Buffer.concat([inputs[modality], Buffer.from(`${i}`)]).toString("base64");
  let number = 0;
  const request = async () => {
    const input = inputOf(number++);
    const response = await fetch(`${running.url}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input, model: manifest.id, modality, encoding_format: "base64" }),
    });
    const answer = (await response.json()) as { data?: unknown[] };
    if (answer.data?.length !== 1)
      throw new Error(`the server answered ${JSON.stringify(answer).slice(0, 200)}`);
  };
  return {
    async run(batches) {
      const full = 2 * batch;
      const enough = full + batches * batch;
      let answered = 0;
      let stop = startClock();
      let cost: Cost | undefined;
      const client = async () => {
        while (cost === undefined) {
          await request();
          answered++;
          if (answered === full) stop = startClock();
          if (answered === enough) cost = stop();
        }
      };
      await Promise.all(Array.from({ length: full }, client));
      return cost!;
    },
    close: () => running.close(),
  };
}

/**
 * transformers.js as its documentation shows it: processor, then model, batch after batch. It
 * decodes no sounds: given samples.
 */
export async function transformersJs(setting: Setting, dataDir: string): Promise<Way> {
  const hf = await import("@huggingface/transformers");
  const { manifest, modality, batch, threads, inputs } = setting;
  hf.env.localModelPath = join(dataDir, "models");
  hf.env.allowRemoteModels = false;
  const session_options = { intraOpNumThreads: threads };
  const options = {
    dtype: "fp32",
    device: "cpu",
    local_files_only: true,
    session_options,
  } as PretrainedModelOptions;
  const { family, id } = manifest;
  if (modality === "text") {
    const tokenizer = await hf.AutoTokenizer.from_pretrained(id);
    const Model = {
      clip: hf.CLIPTextModelWithProjection,
      siglip: hf.SiglipTextModel,
      clap: hf.ClapTextModelWithProjection,
    };
    const model = await Model[family as keyof typeof Model].from_pretrained(id, options);
    const padding = family === "siglip" ? "max_length" : true;
    return timesBatches(
      async () => {
        await model(tokenizer(textsOf(inputs, batch), { padding, truncation: true }));
      },
      () => model.dispose(),
    );
  }
  const processor = await hf.AutoProcessor.from_pretrained(id, {});
  if (modality === "image") {
    const model = await {
      clip: hf.CLIPVisionModelWithProjection,
      siglip: hf.SiglipVisionModel,
      clap: undefined,
    }[family]!.from_pretrained(id, options);
    return timesBatches(
      async () => {
        const file = new Blob([Uint8Array.from(inputs.image)]);
        const images = await Promise.all(
          Array.from({ length: batch }, () => hf.RawImage.fromBlob(file)),
        );
        await model(await processor(images));
      },
      () => model.dispose(),
    );
  }
  const model = await hf.ClapAudioModelWithProjection.from_pretrained(id, options);
  const { samples } = await decodeAudio(inputs.audio, { maxSeconds: 60 });
  const sound = Float32Array.from(samples);
  return timesBatches(
    async () => {
      const features = [];
      for (let i = 0; i < batch; i++) features.push((await processor(sound)).input_features);
      await model({ input_features: hf.cat(features, 0) });
    },
    () => model.dispose(),
  );
}

function timesBatches(one: () => Promise<void>, close: () => Promise<unknown>): Way {
  return {
    async run(batches) {
      const stop = startClock();
      for (let i = 0; i < batches; i++) await one();
      return stop();
    },
    close,
  };
}
