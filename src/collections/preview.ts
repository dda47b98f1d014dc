import type { ModalityInput } from "../encoders/encoder.js";
import type { Preview } from "../index/item.js";
import type { Log } from "../log.js";
import type { Media } from "../media/media.js";

const textLength = 2000;

/** The beginning of a text. */
export function textPreview(text: string): Preview {
  // Half of a surrogate pair
  const shown = text.slice(0, textLength).replace(/[\ud800-\udbff]$/, "");
  return { mediaType: "text/plain; charset=utf-8", bytes: new TextEncoder().encode(shown) };
}

/** A thumbnail or a waveform. An item whose preview fails is stored without one. */
export async function mediaPreview(
  { media, log }: { media: Media; log: Log },
  decoded: ModalityInput["image" | "audio"],
): Promise<Preview | undefined> {
  try {
    return await ("width" in decoded ? media.thumbnail(decoded) : media.waveform(decoded));
  } catch (error) {
    log.warn({ err: error }, "an item is stored without its preview");
    return undefined;
  }
}
