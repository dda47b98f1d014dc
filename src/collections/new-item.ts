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
      /** When it is known: another than the collection's is refused. */
      space?: string;
      original?: { space: string; embedding: Embedding };
      /** What it is the embedding of, where that is a text. */
      text?: string;
    };

/** An item as it comes, before it is embedded. */
export interface NewItem {
  /** Without one it gets its content hash, or a random one when there is none. */
  id?: string;
  content: Content;
  metadata?: JsonObject;
  source?: string;
  contentHash?: string;
  /** ISO 8601. */
  addedAt?: string;
}
