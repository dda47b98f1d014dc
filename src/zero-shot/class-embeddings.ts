import { countMissing } from "../encoders/count-missing.js";
import type { Embedding, Encoder } from "../encoders/encoder.js";
import { meanVector, normalize } from "../math/vector.js";

/**
 * About so many sentences are made and given to the encoder at once, those of whole labels: an
 * abort between calls is heeded, and no more of them are held than that.
 */
const chunk = 256;

/**
 * One vector per label: the mean of the unit embeddings of its prompts, at unit length again.
 * Source: Radford et al. 2021, section 3.1.4 (ensembling over the embedding space).
 *
 * @param labels     L labels.
 * @param templates  T sentences with one `{}`.
 * @returns L embeddings, in the order of the labels. The encoder's cache remembers the L x T
 *   sentences.
 */
export async function classEmbeddings(
  encoder: Encoder<"text">,
  labels: readonly string[],
  templates: readonly string[],
  signal?: AbortSignal,
): Promise<Embedding[]> {
  const step = Math.max(1, Math.floor(chunk / templates.length));
  const vectors: Embedding[] = [];
  for (let start = 0; start < labels.length; start += step) {
    const group = labels.slice(start, start + step);
    const prompts = group.flatMap((label) => templates.map((template) => fill(template, label)));
    const embeddings = await encoder.encode(prompts, signal);
    for (const i of group.keys()) {
      const own = embeddings.slice(i * templates.length, (i + 1) * templates.length);
      vectors.push(own.length === 1 ? own[0] : normalize(meanVector(own)));
    }
  }
  return vectors;
}

/** About how many sentences `classEmbeddings` would have to run, since others are remembered. */
export function missingPrompts(
  encoder: Encoder<"text">,
  labels: readonly string[],
  templates: readonly string[],
): number {
  const count = templates.length;
  return countMissing(encoder, labels.length * count, (i) =>
    fill(templates[i % count], labels[Math.floor(i / count)]),
  );
}

const fill = (template: string, label: string) => template.split("{}").join(label);
