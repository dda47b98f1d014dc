import type { DecodedAudio, DecodedImage, Modality, ModalityInput } from "../encoders/encoder.js";
import type { MediaWorkers } from "../encoders/preprocess/media-workers.js";
import { timed } from "../metrics.js";
import type { DecodeGate } from "./decode-gate.js";
import { type Embedded, embedAlong } from "./embed-along.js";
import type { Path } from "./find-path.js";

/** Reads the bytes of a picture or sound when their turn comes: from memory, base64 or an address. */
export type ReadBytes = () => Promise<Uint8Array>;

export interface MediaParts {
  media: MediaWorkers;
  config: { maxImagePixels: number; maxAudioSeconds: number };
}

/**
 * One picture or sound: read, decoded and embedded when the gate has room.
 * @param look  is shown what was decoded beside the encoder; its result is `seen`.
 */
export async function embedMedia<M extends "image" | "audio", T = undefined>(
  { media, config, gate }: MediaParts & { gate: DecodeGate },
  path: Path<M>,
  read: ReadBytes,
  { look, signal }: { look?: (decoded: ModalityInput[M]) => Promise<T>; signal?: AbortSignal },
): Promise<{ embedded: Embedded; seen: T | undefined }> {
  const { maxImagePixels: maxPixels, maxAudioSeconds: maxSeconds } = config;
  const modality: Modality = path.encoder.modality;
  const decode = async () => {
    const bytes = await read();
    const decoded = timed<DecodedImage | DecodedAudio>("decode", () =>
      modality === "image"
        ? media.decodeImage(bytes, { maxPixels })
        : media.decodeAudio(bytes, { maxSeconds }),
    );
    return (await decoded) as ModalityInput[M];
  };
  const use = async (decoded: ModalityInput[M]) => {
    const [seen, [embedded]] = await Promise.all([
      look?.(decoded),
      embedAlong(path, [decoded], signal),
    ]);
    return { embedded, seen };
  };
  return gate.run(decode, { sizeOf, use, signal });
}

function sizeOf(decoded: DecodedImage | DecodedAudio): number {
  return "rgb" in decoded ? decoded.rgb.byteLength : decoded.samples.byteLength;
}
