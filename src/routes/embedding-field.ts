import type { Embedding } from "../encoders/encoder.js";
import { invalidInput } from "../errors.js";

const maxCharacters = 2 ** 20;

/**
 * @param prefix  the fields' path prefix, for messages: `original.`.
 * @throws AppError `invalid_input` for both fields at once or bytes that are not float32 numbers.
 */
export function embeddingOf(
  { embedding, embedding_base64: base64 }: { embedding?: number[]; embedding_base64?: string },
  prefix = "",
): Embedding | undefined {
  if (base64 === undefined) return embedding && Float32Array.from(embedding);
  const param = `${prefix}embedding_base64`;
  if (embedding !== undefined) {
    const message = `Expected either "${prefix}embedding" or "${param}" but received both`;
    throw invalidInput(param, message);
  }
  // A number is 4 bytes; a vector of 8,192 numbers 43,692 characters. Longer texts are refused
  // unread.
  const isBase64 = base64.length <= maxCharacters && /^[A-Za-z0-9+/]+={0,2}$/.test(base64);
  const bytes = isBase64 ? Buffer.from(base64, "base64") : Buffer.alloc(0);
  if (bytes.length === 0 || bytes.length % 4 !== 0) {
    throw invalidInput(param, `Expected the base64 of float32 numbers in "${param}"`);
  }
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

/** The float32 numbers' bytes, little-endian, as OpenAI's clients read them. */
export function toBase64(embedding: Embedding): string {
  return Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength).toString(
    "base64",
  );
}
