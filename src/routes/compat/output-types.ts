import type { Embedding } from "../../encoders/encoder.js";
import { toBase64 } from "../embedding-field.js";

/** How Cohere, Jina and Voyage write an embedding; docs/clients.md states what each loses. */
export const outputTypes = ["float", "base64", "int8", "uint8", "binary", "ubinary"] as const;
export type OutputType = (typeof outputTypes)[number];

/**
 * int8: x * 127 / max |x|, rounded: the cosine of two of them is about that of the floats, their
 * dot product is not. uint8: int8 + 128. ubinary: a bit for each number, 1 where it is positive,
 * the first in the highest bit (numpy's packbits). binary: ubinary - 128, as Cohere and Jina have
 * it.
 */
export function asOutputType(embedding: Embedding, type: OutputType): number[] | string {
  switch (type) {
    case "float":
      return Array.from(embedding);
    case "base64":
      return toBase64(embedding);
    case "int8":
      return scaled(embedding);
    case "uint8":
      return scaled(embedding).map((value) => value + 128);
    case "ubinary":
      return signBits(embedding);
    case "binary":
      return signBits(embedding).map((byte) => byte - 128);
  }
}

function scaled(embedding: Embedding): number[] {
  const largest = embedding.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Array.from(embedding, (value) => Math.round((value * 127) / largest) + 0);
}

/** A length that is not a multiple of 8 is padded with zeros. */
function signBits(embedding: Embedding): number[] {
  const bytes = new Array<number>(Math.ceil(embedding.length / 8)).fill(0);
  for (const [i, value] of embedding.entries()) if (value > 0) bytes[i >> 3] |= 0x80 >> (i & 7);
  return bytes;
}
