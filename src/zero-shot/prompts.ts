import type { Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";

/**
 * Sentences with one `{}` each. A label's embedding is the mean over a set's sentences (see
 * class-embeddings.ts).
 */
interface PromptTemplateSet {
  name: string;
  modality: Modality | "any";
  templates: readonly string[];
  source: string;
}

/** The sets for `template_set`. A pack's default is in its manifest. */
const promptTemplateSets: readonly PromptTemplateSet[] = [
  { name: "label", modality: "any", templates: ["{}"], source: "the label itself" },
  {
    name: "clip",
    modality: "image",
    templates: ["a photo of a {}."],
    source: "Radford et al. 2021, https://arxiv.org/abs/2103.00020, section 3.1.4",
  },
  {
    name: "clip-7",
    modality: "image",
    templates: [
      "itap of a {}.",
      "a bad photo of the {}.",
      "a origami {}.",
      "a photo of the large {}.",
      "a {} in a video game.",
      "art of the {}.",
      "a photo of the small {}.",
    ],
    source:
      "openai/CLIP, notebooks/Prompt_Engineering_for_ImageNet.ipynb: the seven found by " +
      "forward selection",
  },
  {
    name: "clap",
    modality: "audio",
    templates: ["This is a sound of {}."],
    source: "LAION-AI/CLAP README, zero-shot classification of ESC-50",
  },
];

/** The fallback when neither the request nor the pack has templates. */
const fallbackTemplates: Record<Modality, readonly string[]> = {
  text: ["This text is about {}."],
  image: ["a photo of a {}."],
  audio: ["This is a sound of {}."],
};

/** CLIP's own ensemble for ImageNet has 80. Each adds a sentence for every label. */
export const maxTemplates = 100;
/** Longest label or template; tokenizers read no further. */
export const maxPromptCharacters = 8192;

export interface TemplateChoice {
  /** `hypothesis_template`: one or several. */
  templates?: readonly string[];
  /** `template_set`: the name of a set above. */
  setName?: string;
}

/**
 * The templates to use, in order of precedence: given in the request, named in the request, the
 * pack's own, the fallback.
 * @throws AppError `invalid_input` for a template without exactly one `{}`, too many or too long
 *   ones, an unknown set, or both at once.
 */
export function chooseTemplates(
  { templates, setName }: TemplateChoice,
  packTemplates: readonly string[] | undefined,
  modality: Modality,
): readonly string[] {
  if (templates !== undefined) {
    if (setName !== undefined) {
      const message = 'Give "hypothesis_template" or "template_set", not both';
      throw new AppError("invalid_input", message, { param: "template_set" });
    }
    const param = "hypothesis_template";
    if (templates.length > maxTemplates) {
      const message = `Expected at most ${maxTemplates} templates but received ${templates.length}`;
      throw new AppError("invalid_input", message, { param });
    }
    for (const template of templates) {
      if (template.length > maxPromptCharacters) {
        const message =
          `Expected a template of at most ${maxPromptCharacters} characters but received ` +
          `${template.length}`;
        throw new AppError("invalid_input", message, { param });
      }
      const holes = template.split("{}").length - 1;
      if (holes !== 1) {
        const message =
          `Expected one {} in each template of "hypothesis_template" but "${template}" has ` +
          holes;
        throw new AppError("invalid_input", message, { param });
      }
    }
    return templates;
  }
  if (setName !== undefined) {
    const set = promptTemplateSets.find(({ name }) => name === setName);
    if (set !== undefined) return set.templates;
    const names = promptTemplateSets.map(({ name }) => name).join(", ");
    throw new AppError(
      "invalid_input",
      `Unknown template_set "${setName}"; expected one of ${names}`,
      {
        param: "template_set",
      },
    );
  }
  return packTemplates ?? fallbackTemplates[modality];
}
