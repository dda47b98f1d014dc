import { effect, signal, untracked } from "@preact/signals";
import { ApiError } from "../../../../src/client/client.js";
import type { LabelSetAnswer } from "../../../../src/wire/label-sets.js";
import { toast } from "../../components/toasts.js";
import { needsKey, sentenceOf, server } from "../../server.js";
import { status } from "../../status.js";
import { isAsSaved, type LabelSet, templatesIn } from "./request.js";
import { changeSet, outcomeOf, selected, sets } from "./state.js";

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
export function fromSaved(saved: LabelSetAnswer): Omit<LabelSet, "id" | "falseAlarmRate" | "head"> {
  const withOwn = saved.labels.filter(({ prompts }) => prompts !== undefined);
  return {
    saved,
    start: undefined,
    labels: saved.labels.map(({ label }) => label),
    prompts: Object.fromEntries(withOwn.map(({ label, prompts }) => [label, prompts!.join("\n")])),
    prompt: saved.hypothesis_template?.join("\n") ?? "",
    multiLabel: saved.multi_label,
  };
}

/** Adopts what another window has made of the saved sets that are shown. @returns how to stop. */
export const followSavedSets = (): (() => void) =>
  effect(() => {
    const input = selected.value;
    if (input === undefined) return;
    for (const set of sets.value) {
      if (set.saved === undefined || !isAsSaved(set)) continue;
      const outcome = outcomeOf(input, set);
      const current = outcome?.state === "done" ? outcome.answer.label_set : undefined;
      if (current !== undefined && current.version !== set.saved.version)
        void untracked(() => adopt(set.id, current.name));
      if (outcome?.state === "failed" && isDeletedSet(outcome.error))
        untracked(() => keepWithout(set));
    }
  });

const isDeletedSet = (error: unknown) =>
  error instanceof ApiError && error.code === "not_found" && error.param === "label_set";

async function adopt(id: number, name: string): Promise<void> {
  try {
    const next = await server.peek().getLabelSet(name);
    const shown = sets.peek().find((set) => set.id === id);
    if (shown?.saved?.name !== name || shown.saved.version === next.version) return;
    changeSet(id, fromSaved(next));
    toast(`${name} was changed in another window; this is version ${next.version}`);
    await refreshSavedSets();
  } catch {
    // The next answer says what is wrong
  }
}

function keepWithout({ id, saved }: LabelSet): void {
  changeSet(id, { saved: undefined });
  toast(`${saved!.name} was deleted in another window; its labels are still here`);
  void refreshSavedSets();
}

/**
 * Saves a set under a name, unless something else is saved under it by now; then it offers to
 * replace that.
 */
export async function saveSet(set: LabelSet, name: string): Promise<void> {
  try {
    const { data } = await server.peek().listLabelSets();
    const current = data.find(
      (one): one is LabelSetAnswer => !("error" in one) && one.name === name,
    );
    const isKnown = set.saved?.name === name;
    if (current === undefined || (isKnown && set.saved?.version === current.version))
      return await replaceSet(set, name);
    const why = isKnown ? "was changed in another window" : "exists already";
    toast(`Not saved: ${name} ${why} (version ${current.version}: ${labelsInShort(current)}).`, [
      "Replace it",
      () => void replaceSet(set, name),
    ]);
    await refreshSavedSets();
  } catch (error) {
    toast(`Not saved: ${sentenceOf(error)}`);
  }
}

function labelsInShort({ labels }: LabelSetAnswer): string {
  const names = labels.slice(0, 4).map(({ label }) => label);
  return `${names.join(", ")}${labels.length > names.length ? "…" : ""}`;
}

/** Saves a set under a name; other parts of the saved one, such as thresholds, are kept. */
async function replaceSet(set: LabelSet, name: string): Promise<void> {
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
