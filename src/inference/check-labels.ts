import { invalidInput } from "../errors.js";
import type { Label } from "../zero-shot/label.js";
import { maxPromptCharacters, maxTemplates } from "../zero-shot/prompts.js";

/**
 * @throws AppError `invalid_input` unless there are labels, all different, not empty, and not too
 *   many or too long.
 */
export function checkLabels(
  labels: readonly Label[] | undefined,
  maxLabels: number,
  param = "candidate_labels",
): readonly Label[] {
  if (labels === undefined) throw invalidInput(param, `"${param}" is missing; expected array`);
  if (labels.length > maxLabels) {
    const message =
      `Expected at most ${maxLabels} labels but received ` + `${labels.length} (option maxLabels)`;
    throw invalidInput(param, message);
  }
  const seen = new Set<string>();
  for (const [i, { label, prompts }] of labels.entries()) {
    const at = `${param}[${i}]`;
    if (label.trim() === "") throw invalidInput(at, `Label ${i} is empty`);
    if (label.length > maxPromptCharacters) {
      const message =
        `Expected a label of at most ${maxPromptCharacters} characters but received ` +
        `${label.length}`;
      throw invalidInput(at, message);
    }
    if (seen.has(label)) throw invalidInput(at, `The label "${label}" appears twice`);
    seen.add(label);
    if (prompts !== undefined) checkPrompts(prompts, `${at}.prompts`);
  }
  return labels;
}

function checkPrompts(prompts: readonly string[], at: string): void {
  if (prompts.length === 0 || prompts.length > maxTemplates) {
    const message = `Expected 1 to ${maxTemplates} prompts but received ${prompts.length}`;
    throw invalidInput(at, message);
  }
  for (const [i, prompt] of prompts.entries()) {
    if (prompt.trim() === "") throw invalidInput(`${at}[${i}]`, `Prompt ${i} is empty`);
    if (prompt.length <= maxPromptCharacters) continue;
    const message =
      `Expected a prompt of at most ${maxPromptCharacters} characters but received ` +
      `${prompt.length}`;
    throw invalidInput(`${at}[${i}]`, message);
  }
}
