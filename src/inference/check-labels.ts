import { invalidInput } from "../errors.js";
import { mostPromptCharacters } from "../zero-shot/prompts.js";

const param = "candidate_labels";

/**
 * @throws AppError `invalid_input` unless there are labels, each once, not empty, and not too many
 * or too long.
 */
export function checkLabels(
  labels: readonly string[] | undefined,
  maxLabels: number,
): readonly string[] {
  if (labels === undefined) throw invalidInput(param, `"${param}" is missing; expected array`);
  if (labels.length > maxLabels) {
    const message = `Expected at most ${maxLabels} labels but received ${labels.length} (option maxLabels)`;
    throw invalidInput(param, message);
  }
  const seen = new Set<string>();
  for (const [i, label] of labels.entries()) {
    const at = `${param}[${i}]`;
    if (label.trim() === "") throw invalidInput(at, `Label ${i} is empty`);
    if (label.length > mostPromptCharacters) {
      const message = `Expected a label of at most ${mostPromptCharacters} characters but received ${label.length}`;
      throw invalidInput(at, message);
    }
    if (seen.has(label)) throw invalidInput(at, `The label "${label}" is given twice`);
    seen.add(label);
  }
  return labels;
}
