import type { Embedding, Encoder } from "../encoders/encoder.js";
import { meanVector, normalize } from "../math/vector.js";

/** Most sentences in one call of the encoder, so that an abort between calls is heeded. */
const chunk = 256;

/**
 * One vector per label: the mean of the unit embeddings of its prompts, at unit length again.
 * Source: Radford et al. 2021, section 3.1.4 (ensembling over the embedding space).
 *
 * @param labels     L labels.
 * @param templates  T sentences with one `{}`.
 * @returns L embeddings, in the order of the labels. The encoder's cache remembers the L x T sentences.
 */
export async function classEmbeddings(
  encoder: Encoder<"text">,
  labels: readonly string[],
  templates: readonly string[],
  signal?: AbortSignal,
): Promise<Embedding[]> {
  const prompts = labels.flatMap((label) => templates.map((template) => template.split("{}").join(label)));
  const embeddings: Embedding[] = [];
  for (let start = 0; start < prompts.length; start += chunk) {
    embeddings.push(...(await encoder.encode(prompts.slice(start, start + chunk), signal)));
  }
  return labels.map((_, i) => {
    const own = embeddings.slice(i * templates.length, (i + 1) * templates.length);
    return own.length === 1 ? own[0] : normalize(meanVector(own));
  });
}
