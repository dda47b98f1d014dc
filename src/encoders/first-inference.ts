import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { bucketsUpTo } from "./batch-buckets.js";
import type { Modality } from "./encoder.js";
import type { LoadedPack } from "./load.js";

/** `n` small inputs through a tower of a pack, as one batch, by modality. */
export const firstInferences: Record<
  Modality,
  (pack: LoadedPack, n?: number) => Promise<unknown> | undefined
> = {
  text: ({ encoders }, n = 1) =>
    encoders.text?.encode(Array.from({ length: n }, (_, i) => `a first sentence, ${i} of ${n}`)),
  image: ({ encoders }, n = 1) => {
    const image = { width: 32, height: 32, rgb: new Uint8Array(3 * 32 * 32).fill(128) };
    return encoders.image?.encode(Array.from({ length: n }, () => image));
  },
  audio: ({ encoders }, n = 1) => {
    const samples = Float32Array.from({ length: 16_000 }, (_, i) => 0.1 * Math.sin(i / 5));
    return encoders.audio?.encode(
      Array.from({ length: n }, () => ({ sampleRateHz: 16_000, samples })),
    );
  },
};

/**
 * First-run costs are paid before the first request, and a broken model shows at the start. A tower
 * on CUDA runs a batch of each size that it will ever be given (see batch-buckets.ts).
 *
 * @param stopping  once it aborts, nothing more is run.
 * @throws AppError `inference_failed` naming the model and why it cannot run.
 */
export async function warmUp(
  packs: readonly LoadedPack[],
  maxBatch: number,
  { log, stopping }: { log: Log; stopping?: AbortSignal },
): Promise<void> {
  const start = performance.now();
  for (const pack of packs) {
    for (const { modality, provider } of pack.towers) {
      for (const n of provider === "cuda" ? bucketsUpTo(maxBatch) : [1]) {
        if (stopping?.aborted) return;
        try {
          await firstInferences[modality](pack, n);
        } catch (error) {
          const { id } = pack.manifest;
          const message = `The model "${id}" failed its first ${modality}: ${reasonOf(error)}`;
          throw new AppError("inference_failed", message, { cause: error });
        }
      }
    }
  }
  log.info({ ms: Math.round(performance.now() - start) }, "ready");
}

/** With the runtime's own message: it is for the operator, not for clients. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
