import type { HeldAudio, HeldImage, ModalityInput } from "../encoders/encoder.js";
import { timed } from "../stages.js";
import { type DecodeLimits, decodedBytes } from "./decoded-bytes.js";
import type { Media } from "./media.js";
import type { Turn } from "./turn.js";

/** Reads the bytes of a picture or sound, from memory, base64 or a URL, when its turn comes. */
export type ReadBytes = () => Promise<Uint8Array>;

export interface MediaParts {
  media: Media;
  config: DecodeLimits;
}

export interface MediaSource<M extends "image" | "audio"> {
  modality: M;
  read: ReadBytes;
  /** Called with the decoder's warnings, if any. */
  onWarnings?: (warnings: readonly string[]) => void;
}

/**
 * The only way from a file to its pixels or samples: read, decoded and used when the budget has
 * room. The decoded media is released when `use` has ended.
 *
 * @throws AppError errors of reading and decoding; the turn's reason when its client is gone.
 */
export function withDecoded<M extends "image" | "audio", T>(
  { media, config }: MediaParts,
  turn: Turn,
  { modality, read, onWarnings }: MediaSource<M>,
  use: (decoded: ModalityInput[M]) => Promise<T>,
): Promise<T> {
  const { maxImagePixels: maxPixels, maxAudioSeconds: maxSeconds } = config;
  const { signal } = turn;
  return turn.decodeAndUse<HeldImage | HeldAudio, T>(
    async () => {
      const bytes = await read();
      return {
        bytes: decodedBytes(bytes, modality, config),
        decode: () =>
          timed<HeldImage | HeldAudio>("decode", () =>
            modality === "image"
              ? media.decodeImage(bytes, { maxPixels }, { signal })
              : media.decodeAudio(bytes, { maxSeconds }, { signal }),
          ),
        keptBytes: ({ decodedBytes }) => decodedBytes,
      };
    },
    async (decoded) => {
      try {
        if (decoded.warnings !== undefined) onWarnings?.(decoded.warnings);
        return await use(decoded as ModalityInput[M]);
      } finally {
        decoded.dispose();
      }
    },
  );
}
