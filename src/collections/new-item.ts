import type { Embedding, Modality } from "../encoders/encoder.js";
import type { JsonObject } from "../index/item.js";
import type { ReadBytes } from "../media/with-decoded.js";

/** What an item is made from: exactly one of the four. */
export type Content =
  | { text: string }
  | { image: ReadBytes }
  | { audio: ReadBytes }
  | {
      embedding: Embedding;
      modality: Modality;
      /** If known: any other than the collection's is refused. */
      space?: string;
      original?: { space: string; embedding: Embedding };
      /** The embedded text, if it is one. */
      text?: string;
      /** The picture or sound that it is the embedding of: to be kept, not decoded. */
      media?: ReadBytes;
    };

/** An item before it is embedded. */
export interface NewItem {
  /** Defaults to the content hash, or a random id when there is none. */
  id?: string;
  content: Content;
  metadata?: JsonObject;
  source?: string;
  contentHash?: string;
  /** ISO 8601. */
  addedAt?: string;
}
