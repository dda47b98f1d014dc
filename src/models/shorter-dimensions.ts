import { z } from "zod";
import type { Manifest } from "../encoders/manifest.js";
import { readConfig } from "./families/read-config.js";

const length = z
  .int({ error: "Expected a whole number" })
  .positive({ error: "Expected 1 or more" });

/**
 * What config.json says of a model that was trained so that its embeddings may be cut. Names as in
 * jinaai/jina-clip-v2; `is_matryoshka` alone allows any length, as vLLM reads it.
 */
const Matryoshka = z.object({
  matryoshka_dimensions: z
    .array(length, { error: "Expected a list of lengths" })
    .max(1000, { error: "Expected at most 1000 lengths" })
    .optional(),
  truncate_dim: length.optional(),
  is_matryoshka: z.boolean({ error: "Expected true or false" }).optional(),
});

/**
 * @param dimensions  length of a whole embedding.
 * @throws RangeError naming the key.
 */
export function shorterDimensions(
  config: Record<string, unknown>,
  dimensions: number,
): Manifest["shorterDimensions"] {
  const fields = readConfig("config.json", config, Matryoshka);
  const listed = [...(fields.matryoshka_dimensions ?? []), fields.truncate_dim ?? dimensions];
  const shorter = [...new Set(listed)].filter((one) => one < dimensions).sort((a, b) => a - b);
  if (shorter.length > 0) return shorter;
  return fields.is_matryoshka === true && dimensions > 1 ? { min: 1 } : undefined;
}
