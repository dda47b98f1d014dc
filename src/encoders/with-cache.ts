import { createHash } from "node:crypto";
import { cacheLookups } from "../metrics.js";
import type { Embedding, Encoder, Modality, ModalityInput } from "./encoder.js";

/** Recent embeddings, shared by all encoders: the least recently used are dropped first. */
export class EmbeddingCache {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Embedding>();
  #bytes = 0;

  /** @param maxBytes  for keys and vectors together; 0 caches nothing. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): Embedding | undefined {
    const embedding = this.#entries.get(key);
    if (embedding !== undefined) {
      this.#entries.delete(key); // and in again as the newest
      this.#entries.set(key, embedding);
    }
    return embedding;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  set(key: string, embedding: Embedding): void {
    if (this.#entries.has(key)) return;
    this.#entries.set(key, embedding);
    this.#bytes += sizeOf(key, embedding);
    for (const [oldest, vector] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= sizeOf(oldest, vector);
    }
  }
}

const sizeOf = (key: string, embedding: Embedding) => 2 * key.length + embedding.byteLength;

/** Longer texts are hardly sent twice, and hashing 60 MiB holds the main thread for 80 ms. */
const maxCharacters = 2 ** 20;

/**
 * Encoder -> Encoder: caches embeddings by space and content. Inputs without a content hash, and
 * texts of more than a megabyte, are encoded each time.
 */
export function withCache<M extends Modality>(
  encoder: Encoder<M>,
  cache: EmbeddingCache,
): Encoder<M> {
  const keyOf = (input: ModalityInput[M]): string | undefined => {
    if (typeof input === "string" && input.length > maxCharacters) return undefined;
    const content =
      typeof input === "string"
        ? createHash("sha256").update(input).digest("base64")
        : input.contentHash;
    return content === undefined ? undefined : `${encoder.space}/${encoder.modality}/${content}`;
  };
  return {
    modality: encoder.modality,
    modelId: encoder.modelId,
    space: encoder.space,
    dimensions: encoder.dimensions,
    missing: (inputs) => {
      const isMissing = (key: string | undefined) => key === undefined || !cache.has(key);
      return inputs.filter((input) => isMissing(keyOf(input))).length;
    },
    async encode(inputs, signal) {
      const keys = inputs.map(keyOf);
      const embeddings = keys.map((key) => (key === undefined ? undefined : cache.get(key)));
      const missing = embeddings.flatMap((embedding, i) => (embedding === undefined ? [i] : []));
      cacheLookups.inc({ result: "hit" }, inputs.length - missing.length);
      cacheLookups.inc({ result: "miss" }, missing.length);
      if (missing.length > 0) {
        const fresh = await encoder.encode(
          missing.map((i) => inputs[i]),
          signal,
        );
        for (const [j, i] of missing.entries()) {
          embeddings[i] = fresh[j];
          const key = keys[i];
          if (key !== undefined) cache.set(key, fresh[j]);
        }
      }
      return embeddings as Embedding[];
    },
    dispose: () => encoder.dispose(),
  };
}
