import type { ModalityInput } from "../encoders/encoder.js";
import type { Turn } from "../media/turn.js";
import { type MediaParts, type ReadBytes, withDecoded } from "../media/with-decoded.js";
import { type Embedded, embedAlong } from "./embed-along.js";
import type { Path } from "./find-path.js";

/**
 * One picture or sound: read, decoded and embedded when the budget has room.
 * @param inspect  gets the decoded media while the encoder runs; its result is `seen`.
 * @returns `warnings` are the decoder's, if any.
 */
export function embedMedia<M extends "image" | "audio", T = undefined>(
  parts: MediaParts,
  turn: Turn,
  { path, read, signal }: { path: Path<M>; read: ReadBytes; signal?: AbortSignal },
  inspect?: (decoded: ModalityInput[M]) => Promise<T>,
): Promise<{ embedded: Embedded; seen: T | undefined; warnings?: readonly string[] }> {
  let warnings: readonly string[] | undefined;
  const source = {
    modality: path.encoder.modality as M,
    read,
    onWarnings: (found: readonly string[]) => {
      warnings = found;
    },
  };
  return withDecoded(parts, turn, source, async (decoded) => {
    // Both end before the decoded media is released, even when one of them fails.
    const [seen, embedded] = await Promise.allSettled([
      inspect?.(decoded),
      embedAlong(path, [decoded], signal),
    ]);
    if (seen.status === "rejected") throw seen.reason;
    if (embedded.status === "rejected") throw embedded.reason;
    return { embedded: embedded.value[0], seen: seen.value, warnings };
  });
}
