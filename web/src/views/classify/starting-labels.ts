import { effect, signal, untracked } from "@preact/signals";
import { needsKey, returns, sentenceOf, server } from "../../server.js";
import { persistently } from "../../status.js";
import { everydaySounds, everydayThings, withoutArticle } from "./everyday-words.js";
import type { Input, LabelSet } from "./request.js";
import { changeSet, inputs, sets } from "./state.js";

/** Of what is heard where people are: for a microphone, which has heard nothing yet. */
const aroundPeople = [
  "speech",
  "singing",
  "laughter",
  "a cough",
  "footsteps",
  "a door",
  "a keyboard",
  "silence",
].filter((word) => everydaySounds.includes(word));

/** The models' prompts for pictures have an article. */
const things = everydayThings.map(withoutArticle);

/** Files that are looked at for labels; of more, the others are classified by the same. */
const maxFiles = 6;
const maxLabels = 6;

/** What is being done about labels for files that came without any. */
export const looking = signal<{ isUnderWay: boolean; sentence: string } | undefined>(undefined);

/** The files that were looked at: labels that somebody removed do not come back. */
let lookedAt: readonly Input[] | undefined;

/**
 * Gives files of one's own the nearest everyday words as labels to begin with, where none were
 * written. @returns how to stop.
 */
export const offerLabels = (): (() => void) =>
  effect(() => {
    void returns.value;
    const [set, ...others] = sets.value;
    const opened = inputs.value;
    const isBare = set.labels.length === 0 && set.head === undefined && others.length === 0;
    if (opened.length === 0 || opened === lookedAt || !isBare || needsKey.value) return;
    lookedAt = opened;
    untracked(() => void offer(opened, set));
  });

async function offer(opened: readonly Input[], { id }: LabelSet): Promise<void> {
  looking.value = { isUnderWay: true, sentence: "Looking for words that fit…" };
  const nearest: string[][] = [];
  let failure: unknown;
  for (const input of opened.slice(0, maxFiles))
    await nearestWords(input).then(
      (words) => nearest.push(words),
      (error) => {
        failure ??= error;
      },
    );
  if (inputs.peek() !== opened) return; // others are looked at by now
  const labels = interleaved(nearest).slice(0, maxLabels);
  if (labels.length === 0) {
    lookedAt = undefined; // once more when the server is back
    looking.value = { isUnderWay: false, sentence: sentenceOf(failure) };
    return;
  }
  looking.value = undefined;
  if (sets.peek().find((set) => set.id === id)?.labels.length === 0)
    changeSet(id, { labels, start: "words" });
}

async function nearestWords(input: Input): Promise<string[]> {
  const { modality, text, blob } = input;
  const candidate_labels = modality === "audio" ? everydaySounds : things;
  const request = { [modality]: text ?? blob, candidate_labels, top_k: maxLabels };
  const { scores } = await persistently(() => server.peek().zeroShot(request));
  return scores.map(({ label }) => label);
}

/** The first of each list, then the second of each, each word once. */
function interleaved(lists: readonly string[][]): string[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  const words = Array.from({ length: longest }, (_, i) => lists.map((list) => list[i]));
  return [...new Set(words.flat())].filter((word) => word !== undefined);
}

/** Labels for a microphone where none were written for sounds. */
export function offerLabelsToHear(): void {
  const [{ id, labels, start, head }] = sets.peek();
  if (head !== undefined || (labels.length > 0 && start === undefined)) return;
  changeSet(id, { labels: aroundPeople, start: "words" });
}
