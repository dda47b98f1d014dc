import type { Config } from "../config.js";
import type { Embedding, Encoder, Modality, ModalityInput } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import type { MediaWorkers } from "../encoders/preprocess/media-workers.js";
import { withPatience } from "../encoders/with-patience.js";
import { AppError } from "../errors.js";

export interface EmbedOptions {
  pack: LoadedPack;
  media: MediaWorkers;
  config: Pick<Config, "maxImagePixels" | "maxAudioSeconds">;
  signal: AbortSignal;
  /** Told after each batch how many are done. */
  onProgress?: (done: number) => void;
}

/** Inputs in one call of the encoder: few enough to be fair to requests, which wait in the same queue. */
const batchSize = 32;

/** Embeds texts, or the bytes of pictures or sounds, in order. `nameOf` spells the field of an input for errors. */
export async function embedAll(
  modality: Modality,
  inputs: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  nameOf: (position: number) => string,
  options: EmbedOptions,
): Promise<Embedding[]> {
  const { pack, signal, onProgress } = options;
  const tower = pack.encoders[modality] as Encoder | undefined;
  if (tower === undefined) {
    const message = `The model "${pack.manifest.id}" does not understand ${modality}`;
    throw new AppError("invalid_input", message, { param: nameOf(0) });
  }
  const encoder = withPatience(tower);
  const embeddings: Embedding[] = [];
  let batch: (string | Uint8Array)[] = [];
  const flush = async () => {
    signal.throwIfAborted();
    const first = embeddings.length;
    const decoded: ModalityInput[Modality][] = await Promise.all(
      batch.map((input, i) => decode(modality, input, nameOf(first + i), options)),
    );
    batch = [];
    embeddings.push(...(await encoder.encode(decoded, signal)));
    onProgress?.(embeddings.length);
  };
  for await (const input of inputs) {
    batch.push(input);
    if (batch.length === batchSize) await flush();
  }
  if (batch.length > 0) await flush();
  return embeddings;
}

async function decode(
  modality: Modality,
  input: string | Uint8Array,
  param: string,
  options: EmbedOptions,
) {
  if (typeof input === "string") return input;
  const { media, config } = options;
  try {
    return modality === "image"
      ? await media.decodeImage(input, { maxPixels: config.maxImagePixels })
      : await media.decodeAudio(input, { maxSeconds: config.maxAudioSeconds });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `${error.message} (at "${param}")`, { param, cause: error });
  }
}
