import { signal } from "@preact/signals";
import type { LabelSetAnswer } from "../../../../src/wire/label-sets.js";
import { toast } from "../../components/toasts.js";
import { needsKey, sentenceOf, server } from "../../server.js";
import { status } from "../../status.js";
import { changeSet, type LabelSet, templatesIn } from "./state.js";

/** Those that the server keeps and that can be used, by name. */
export const savedSets = signal<readonly LabelSetAnswer[]>([]);

export async function refreshSavedSets(): Promise<void> {
  if (needsKey.peek()) return;
  try {
    const { data } = await server.peek().listLabelSets();
    savedSets.value = data.filter((one): one is LabelSetAnswer => !("error" in one));
  } catch {
    // There are none to choose from; classifying reports what is wrong
  }
}

/** What a saved set is on this page. */
export function fromSaved(saved: LabelSetAnswer): Omit<LabelSet, "id" | "falseAlarmRate"> {
  const withOwn = saved.labels.filter(({ prompts }) => prompts !== undefined);
  return {
    saved,
    labels: saved.labels.map(({ label }) => label),
    prompts: Object.fromEntries(withOwn.map(({ label, prompts }) => [label, prompts!.join("\n")])),
    prompt: saved.hypothesis_template?.join("\n") ?? "",
    multiLabel: saved.multi_label,
  };
}

/** Saves a set under a name; other parts of the saved one, such as thresholds, are kept. */
export async function saveSet(set: LabelSet, name: string): Promise<void> {
  const { saved, labels, prompts, prompt, multiLabel } = set;
  const thresholdOf = new Map(saved?.labels.map(({ label, threshold }) => [label, threshold]));
  const { space, head } = saved?.thresholds_of ?? {};
  const templates = templatesIn(prompt);
  try {
    const next = await server.peek().putLabelSet(name, {
      labels: labels.map((label) => ({
        label,
        prompts:
          templatesIn(prompts[label] ?? "").length > 0 ? templatesIn(prompts[label]) : undefined,
        threshold: thresholdOf.get(label),
      })),
      hypothesis_template: templates.length > 0 ? templates : undefined,
      template_set: templates.length > 0 ? undefined : saved?.template_set,
      multi_label: multiLabel,
      model: status.peek().models.find((model) => model.space === space)?.id,
      head: head?.name,
      calibration: saved?.calibration,
    });
    changeSet(set.id, { saved: next });
    toast(`${name} is saved, version ${next.version}`);
    await refreshSavedSets();
  } catch (error) {
    toast(`Not saved: ${sentenceOf(error)}`);
  }
}

/** Deletes the saved set; the labels stay on the page, and can be saved again. */
export async function deleteSaved(set: LabelSet): Promise<void> {
  const { name } = set.saved!;
  try {
    await server.peek().deleteLabelSet(name);
    toast(`${name} is deleted; its labels are still here`, ["Undo", () => saveSet(set, name)]);
    changeSet(set.id, { saved: undefined });
    await refreshSavedSets();
  } catch (error) {
    toast(sentenceOf(error));
  }
}
