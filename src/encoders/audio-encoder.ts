import { meanVector, normalize } from "../math/vector.js";
import { timed } from "../stages.js";
import type { Embedding, Encoder, ModalityInput } from "./encoder.js";
import type { AudioPreprocess } from "./manifest.js";
import type { AudioWindowTensor, MediaTensors } from "./preprocess/media-tensors.js";
import { runTower, type Tower } from "./tower.js";

/** A part of a sound. */
interface EmbeddedWindow {
  startSeconds: number;
  endSeconds: number;
  embedding: Embedding;
}

/** One sound, as a whole and by window. */
export type EncodeWindows = (
  sound: ModalityInput["audio"],
  signal?: AbortSignal,
) => Promise<{ embedding: Embedding; windows: EmbeddedWindow[] }>;

/** Least number of windows of a sound that are prepared at once. */
const minWindows = 4;

/**
 * Sounds -> embeddings. A sound longer than the tower's window is cut into windows at fixed places;
 * its embedding is the mean of theirs, at unit length again (fused CLAP sees the whole sound at
 * once instead). Nothing is random: the same sound always gives the same embedding.
 *
 * @param maxBatch  most windows in one run: an hour-long recording has hundreds.
 * @returns `encodeWindows` too, for the timeline of one sound: it is not part of the Encoder
 *   contract and is not batched with other calls, since the windows of a sound are already a batch.
 */
export function audioEncoder(
  tower: Tower,
  preprocess: AudioPreprocess,
  { media, maxBatch }: { media: MediaTensors; maxBatch: number },
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
      const rows = batch.map(({ tensor }) => tensor);
      const isLonger = Uint8Array.from(batch, (window) => (window.isLonger ? 1 : 0));
      const feeds = {
        [input]: { type: "float32", dims: [batch.length, ...shape], rows },
        is_longer: { type: "bool", dims: [batch.length, 1], data: isLonger },
      } as const;
      embeddings.push(...(await runTower(tower, feeds, batch.length)));
    }
    return embeddings;
  };

  /** The windows of each sound, some at a time: the tensors of an hour take 180 MB. */
  const embedWindows = async (
    sounds: readonly ModalityInput["audio"][],
    spec: AudioPreprocess,
    signal?: AbortSignal,
  ): Promise<EmbeddedWindow[][]> => {
    const embedded: EmbeddedWindow[][] = sounds.map(() => []);
    const count = Math.max(minWindows, Math.ceil((2 * maxBatch) / sounds.length));
    let unfinished = sounds.map((sound, i) => ({ sound, windows: embedded[i] }));
    for (let start = 0; unfinished.length > 0; start += count) {
      signal?.throwIfAborted();
      const range = { start, count };
      const parts = await timed("preprocess", () =>
        Promise.all(
          unfinished.map(({ sound }) => media.audioTensors(sound, spec, { range, signal })),
        ),
      );
      const windows = parts.flatMap((part) => part.windows);
      const embeddings = await runWindows(windows, parts[0].shape, signal);
      let next = 0;
      for (const [i, part] of parts.entries()) {
        for (const { startSeconds, endSeconds } of part.windows)
          unfinished[i].windows.push({ startSeconds, endSeconds, embedding: embeddings[next++] });
      }
      unfinished = unfinished.filter((_, i) => start + count < parts[i].total);
    }
    return embedded;
  };

  const encode: Encoder<"audio">["encode"] = async (sounds, signal) =>
    (await embedWindows(sounds, preprocess, signal)).map(clipEmbedding);

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
      const [windows] = await embedWindows([sound], { ...preprocess, longer: "windows" }, signal);
      const embedding =
        preprocess.longer === "windows"
          ? clipEmbedding(windows)
          : (await encode([sound], signal))[0];
      return { embedding, windows };
    },
  };
}

function clipEmbedding(windows: readonly EmbeddedWindow[]): Embedding {
  const embeddings = windows.map(({ embedding }) => embedding);
  return embeddings.length === 1 ? embeddings[0] : normalize(meanVector(embeddings));
}
