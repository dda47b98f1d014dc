import type { LoadedPack } from "../../encoders/load.js";
import { invalidInput } from "../../errors.js";
import type { Content } from "../../inference/content.js";

/**
 * For `truncate: false`. @throws AppError `invalid_input` for a text that fills the model's
 * context.
 */
export async function checkNotCut(
  { manifest, tokenizer }: LoadedPack,
  contents: readonly Content[],
  signal: AbortSignal,
): Promise<void> {
  const texts = contents.flatMap((one) => (one.modality === "text" ? [one.text] : []));
  const { contextLength } = manifest.towers.text?.preprocess ?? {};
  if (tokenizer === undefined || contextLength === undefined || texts.length === 0) return;
  const rows = await tokenizer.tokenize(texts, signal);
  const long = rows.findIndex(({ length }) => length >= contextLength);
  if (long < 0) return;
  const message =
    `Text ${long} fills the context of ${contextLength} tokens and would be cut, but "truncate" ` +
    "is false";
  throw invalidInput("inputs", message);
}
