import { countMissing } from "../encoders/count-missing.js";
import type { Embedding, Encoder } from "../encoders/encoder.js";
import { meanVector, normalize } from "../math/vector.js";

/**
 * About this many sentences, those of complete labels, are generated and encoded at once: aborts
 * act between calls, and memory stays bounded.
 */
const chunk = 256;

/** How labels become sentences. */
export interface Prompting {
  /** T sentences with one `{}`. */
  templates: readonly string[];
  /** By label: its own sentences, instead of the templates. */
  prompts?: ReadonlyMap<string, readonly string[]>;
}

/**
 * One vector per label: the mean of the unit embeddings of its prompts, at unit length again.
 * Source: Radford et al. 2021, section 3.1.4 (ensembling over the embedding space).
 *
 * @param labels  L labels.
 * @returns L embeddings, in the order of the labels. The encoder's cache keeps the sentences.
 */
export async function classEmbeddings(
  encoder: Encoder<"text">,
  labels: readonly string[],
  prompting: Prompting,
  signal?: AbortSignal,
): Promise<Embedding[]> {
  const vectors: Embedding[] = [];
  for (let start = 0; start < labels.length; ) {
    const group: string[][] = [];
    for (let size = 0; size < chunk && start < labels.length; start++)
      size += group[group.push(sentencesOf(labels[start], prompting)) - 1].length;
    const embeddings = await encoder.encode(group.flat(), signal);
    let next = 0;
    for (const { length } of group) {
      const ofLabel = embeddings.slice(next, next + length);
      next += length;
      vectors.push(length === 1 ? ofLabel[0] : normalize(meanVector(ofLabel)));
    }
  }
  return vectors;
}

/** About how many sentences `classEmbeddings` must run; the others are cached. */
export function missingPrompts(
  encoder: Encoder<"text">,
  labels: readonly string[],
  prompting: Prompting,
): number {
  const { templates, prompts } = prompting;
  const ownPrompts = labels
    .filter((label) => prompts?.has(label))
    .flatMap((label) => sentencesOf(label, prompting));
  const others = ownPrompts.length === 0 ? labels : labels.filter((label) => !prompts?.has(label));
  const count = templates.length;
  const ofTemplates = countMissing(encoder, others.length * count, (i) =>
    fill(templates[i % count], others[Math.floor(i / count)]),
  );
  return ofTemplates + countMissing(encoder, ownPrompts.length, (i) => ownPrompts[i]);
}

const sentencesOf = (label: string, { templates, prompts }: Prompting): string[] =>
  (prompts?.get(label) ?? templates).map((template) => fill(template, label));

const fill = (template: string, label: string) => template.split("{}").join(label);
