import { meanVector, normalize } from "../math/vector.js";
import { timed } from "../metrics.js";
import type { DecodedAudio, Embedding, Encoder } from "./encoder.js";
import type { AudioPreprocess } from "./manifest.js";
import type { AudioWindowTensor, MediaWorkers } from "./preprocess/media-workers.js";
import { runTower, type Tower } from "./tower.js";

/** One sound, whole and window by window. */
export type EncodeWindows = (
  sound: DecodedAudio,
  signal?: AbortSignal,
) => Promise<{
  embedding: Embedding;
  windows: { startSeconds: number; endSeconds: number; embedding: Embedding }[];
}>;

/**
 * Sounds -> embeddings. A sound longer than the tower's window is cut into windows at fixed places; its embedding is the
 * mean of theirs, at unit length again (fused CLAP sees the whole sound at once instead). Nothing is random: the same
 * sound always gives the same embedding.
 *
 * @param maxBatch  most windows in one run: an hour-long recording has hundreds.
 * @returns `encodeWindows` too, for the timeline of one sound: it is no part of the Encoder contract and is not batched
 *   with other calls, since the windows of a sound are a batch by themselves.
 */
export function audioEncoder(
  tower: Tower,
  preprocess: AudioPreprocess,
  { media, maxBatch }: { media: MediaWorkers; maxBatch: number },
): { encoder: Encoder<"audio">; encodeWindows: EncodeWindows } {
  const input = tower.session.info.inputs.find(({ name }) => name !== "is_longer")!.name;

  const runWindows = async (
    windows: readonly AudioWindowTensor[],
    shape: readonly number[],
    signal?: AbortSignal,
  ) => {
    const embeddings: Embedding[] = [];
    for (let start = 0; start < windows.length; start += maxBatch) {
      signal?.throwIfAborted();
      const batch = windows.slice(start, start + maxBatch);
      const size = batch[0].tensor.length;
      const data = new Float32Array(batch.length * size);
      for (const [i, { tensor }] of batch.entries()) data.set(tensor, i * size);
      const isLonger = Uint8Array.from(batch, (window) => (window.isLonger ? 1 : 0));
      const feeds = {
        [input]: { type: "float32", dims: [batch.length, ...shape], data },
        is_longer: { type: "bool", dims: [batch.length, 1], data: isLonger },
      } as const;
      embeddings.push(...(await runTower(tower, feeds, batch.length)));
    }
    return embeddings;
  };

  const encode: Encoder<"audio">["encode"] = async (sounds, signal) => {
    const inputs = await timed("preprocess", () =>
      Promise.all(sounds.map((sound) => media.audioTensors(sound, preprocess))),
    );
    const windows = inputs.flatMap((sound) => sound.windows);
    const embeddings = await runWindows(windows, inputs[0].shape, signal);
    let start = 0;
    return inputs.map((sound) => {
      const own = embeddings.slice(start, start + sound.windows.length);
      start += own.length;
      return clipEmbedding(own);
    });
  };

  return {
    encoder: {
      modality: "audio",
      modelId: tower.modelId,
      space: tower.space,
      dimensions: tower.dimensions,
      encode,
      dispose: () => tower.session.close(),
    },
    async encodeWindows(sound, signal) {
      const { windows, shape } = await timed("preprocess", () =>
        media.audioTensors(sound, { ...preprocess, longer: "windows" }),
      );
      const embeddings = await runWindows(windows, shape, signal);
      return {
        embedding:
          preprocess.longer === "windows"
            ? clipEmbedding(embeddings)
            : (await encode([sound], signal))[0],
        windows: windows.map(({ startSeconds, endSeconds }, i) => ({
          startSeconds,
          endSeconds,
          embedding: embeddings[i],
        })),
      };
    },
  };
}

function clipEmbedding(windows: readonly Embedding[]): Embedding {
  return windows.length === 1 ? windows[0] : normalize(meanVector(windows));
}
