import type { Config } from "../config.js";
import type { Embedding, Encoder, Modality } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { AppError } from "../errors.js";
import type { MediaBudget } from "../media/budget.js";
import type { Media } from "../media/media.js";
import type { Turn } from "../media/turn.js";
import { withDecoded } from "../media/with-decoded.js";

export interface EmbedOptions {
  pack: LoadedPack;
  media: Media;
  budget: MediaBudget;
  config: Pick<Config, "maxImagePixels" | "maxAudioSeconds">;
  signal: AbortSignal;
  /** Called after each batch with the number done. */
  onProgress?: (done: number) => void;
  /** Called in order with an input's decoding warnings and its field. */
  onWarnings?: (param: string, warnings: readonly string[]) => void;
}

/** Inputs embedded at the same time: a full batch. */
const atOnce = 32;

/**
 * Embeds texts, or the bytes of pictures or sounds, in order. Waits for turns among requests.
 * @param nameOf  gives the field of an input, for errors.
 */
export async function embedAll(
  modality: Modality,
  inputs: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  nameOf: (position: number) => string,
  options: EmbedOptions,
): Promise<Embedding[]> {
  const { pack, budget, signal, onProgress, onWarnings } = options;
  const encoder = pack.encoders[modality] as Encoder | undefined;
  if (encoder === undefined) {
    const message = `The model "${pack.manifest.id}" does not understand ${modality}`;
    throw new AppError("invalid_input", message, { param: nameOf(0) });
  }
  const turn = budget.bulk(signal);
  const embeddings: Embedding[] = [];
  let group: (string | Uint8Array)[] = [];
  const flush = async () => {
    signal.throwIfAborted();
    const first = embeddings.length;
    const embedded = await Promise.all(
      group.map((input, i) => embedOne(encoder, input, nameOf(first + i), { ...options, turn })),
    );
    group = [];
    for (const [i, { embedding, warnings }] of embedded.entries()) {
      embeddings.push(embedding);
      if (warnings !== undefined) onWarnings?.(nameOf(first + i), warnings);
    }
    onProgress?.(embeddings.length);
  };
  for await (const input of inputs) {
    group.push(input);
    if (group.length === atOnce) await flush();
  }
  if (group.length > 0) await flush();
  return embeddings;
}

async function embedOne(
  encoder: Encoder,
  input: string | Uint8Array,
  param: string,
  { turn, signal, ...parts }: EmbedOptions & { turn: Turn },
): Promise<{ embedding: Embedding; warnings?: readonly string[] }> {
  if (typeof input === "string") return { embedding: (await encoder.encode([input], signal))[0] };
  const source = { modality: encoder.modality as "image" | "audio", read: async () => input };
  try {
    return await withDecoded(parts, turn, source, async (decoded) => {
      const [embedding] = await encoder.encode([decoded], signal);
      return { embedding, warnings: decoded.warnings };
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `${error.message} (at "${param}")`, { param, cause: error });
  }
}
