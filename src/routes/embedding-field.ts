import { z } from "zod";
import type { Embedding } from "../encoders/encoder.js";
import { AppError } from "../errors.js";

/** An embedding in a body: numbers, or the base64 of their float32 bytes (little-endian), a fourth of the size. */
export const embeddingFields = {
  embedding: z.array(z.number()).min(1).optional(),
  embedding_base64: z.string().min(1).optional(),
};

/**
 * @param prefix  where the fields stand, for messages: `original.`.
 * @throws AppError `invalid_input` for both fields at once or bytes that are no float32 numbers.
 */
export function embeddingOf(
  { embedding, embedding_base64: base64 }: { embedding?: number[]; embedding_base64?: string },
  prefix = "",
): Embedding | undefined {
  if (base64 === undefined) return embedding && Float32Array.from(embedding);
  const param = `${prefix}embedding_base64`;
  if (embedding !== undefined) {
    const message = `Expected either "${prefix}embedding" or "${param}" but received both`;
    throw new AppError("invalid_input", message, { param });
  }
  const bytes = Buffer.from(base64, "base64");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || bytes.length === 0 || bytes.length % 4 !== 0) {
    throw new AppError("invalid_input", `Expected the base64 of float32 numbers in "${param}"`, {
      param,
    });
  }
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

/** The float32 numbers' bytes, little-endian, as OpenAI's clients read them. */
export function toBase64(embedding: Embedding): string {
  return Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength).toString(
    "base64",
  );
}
