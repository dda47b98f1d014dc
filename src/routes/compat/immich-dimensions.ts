/**
 * Length of the vectors that Immich keeps for a model, by the beginning of its name.
 * Source: immich-app/immich, server/src/constants.ts, CLIP_MODEL_INFO; the first match counts.
 */
const byName: readonly (readonly [RegExp, number])[] = [
  [/^RN101__/, 512],
  [/^ViT-B-(16|32)__/, 512],
  [/^XLM-Roberta-(Base|Large)-Vit-B-32/i, 512],
  [/^RN50x4__/, 640],
  [/^ViT-B-16-plus-240__/, 640],
  [/^XLM-Roberta-Large-Vit-B-16Plus/i, 640],
  [/^RN50x16__/, 768],
  [/^ViT-B-(16|32)-SigLIP/, 768],
  [/^ViT-L-14(-336|-quickgelu)?__/, 768],
  [/^(XLM-Roberta-Large|LABSE)-Vit-L-14/i, 768],
  [/^nllb-clip-base-siglip__/, 768],
  [/^RN50(x64)?__/, 1024],
  [/^ViT-[Hg]-14/, 1024],
  [/^ViT-L-16-SigLIP/, 1024],
  [/^XLM-Roberta-Large-Vit-H-14/i, 1024],
  [/^ViT-SO400M-1[46]-SigLIP/, 1152],
  [/^nllb-clip-large-siglip__/, 1152],
  [/^ViT-gopt-16-SigLIP2/, 1536],
];

/** Undefined for a name that Immich does not list. */
export function dimensionsOf(modelName: string): number | undefined {
  const name = plainName(modelName);
  return byName.find(([pattern]) => pattern.test(name))?.[1];
}

/**
 * Immich takes `M-CLIP/XLM-Roberta-Large-Vit-B-32` and `ViT-B-32::openai` too. Source: the same,
 * server/src/utils/misc.ts, cleanModelName.
 */
export const plainName = (modelName: string): string =>
  modelName.split("/").at(-1)!.replaceAll(":", "_");
