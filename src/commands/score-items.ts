import type { ScoredItem } from "../evaluation/evaluate.js";
import type { ItemPage } from "../wire/items.js";
import type { LabelledFile } from "./labelled-files.js";
import { readMediaFile } from "./media-input.js";
import { progressBar } from "./progress.js";
import { CommandError, isReported, type Target } from "./target.js";

/** The fields of a zero-shot request besides its content and labels. */
export type ModelChoice = Record<string, unknown>;

/** A labelled input for a zero-shot request. */
export interface Subject {
  id: string;
  /** Undefined where none of the labels fits. */
  label: string | undefined;
  group?: string;
  /** The content of its request. */
  content(): Promise<Record<string, unknown>>;
}

/** Concurrent requests: a server batches them. */
const atOnce = 8;

export const subjectOf = ({ id, label, group, path, within }: LabelledFile): Subject => ({
  id,
  label,
  group,
  content: async () => {
    const { modality, base64 } = await readMediaFile(path, { within });
    return { [modality]: base64 };
  },
});

/** The pictures and sounds of a collection with a text, number or boolean in a metadata field. */
export async function subjectsOfCollection(
  target: Target,
  collection: string,
  { by, groupBy }: { by: string; groupBy?: string },
): Promise<Subject[]> {
  const subjects: Subject[] = [];
  let after: string | undefined;
  do {
    const page: ItemPage = await target.listItems(collection, { limit: 1000, after });
    for (const { id, modality, metadata } of page.data) {
      const label = valueAt(metadata, by);
      if (modality === "text" || label === undefined) continue;
      const group = groupBy === undefined ? undefined : valueAt(metadata, groupBy);
      subjects.push({ id, label, group, content: async () => ({ collection, item_id: id }) });
    }
    after = page.next_cursor;
  } while (after !== undefined);
  if (subjects.length > 0) return subjects;
  const message =
    `No picture or sound of the collection "${collection}" has a text, number or boolean in ` +
    `"${by}"`;
  throw new CommandError(message, { code: "invalid_input" });
}

function valueAt(metadata: Record<string, unknown>, path: string): string | undefined {
  let value: unknown = metadata;
  for (const name of path.replace(/^metadata\./, "").split("."))
    value = (value as Record<string, unknown> | null | undefined)?.[name];
  const isScalar = ["string", "number", "boolean"].includes(typeof value);
  return isScalar ? String(value) : undefined;
}

/**
 * Scores each subject against all labels, several at a time.
 * @returns in their order.
 * @throws CommandError for the first failure: figures over the rest would describe another set.
 */
export async function scoreItems(
  target: Target,
  subjects: readonly Subject[],
  labels: readonly string[],
  choice: ModelChoice,
): Promise<ScoredItem[]> {
  const places = new Map(labels.map((label, i) => [label, i]));
  const scored = new Array<ScoredItem>(subjects.length);
  const bar = progressBar(subjects.length, "evaluating");
  let next = 0;
  const work = async () => {
    for (let i = next++; i < subjects.length; i = next++) {
      const { id, label, group, content } = subjects[i];
      const body = { ...(await content()), candidate_labels: labels, ...choice };
      const answer = await target.zeroShot(body).catch((error) => {
        throw isReported(error) ? new CommandError(`${id}: ${error.message}`, error) : error;
      });
      const scores = new Array<number>(labels.length);
      for (const one of answer.scores) scores[places.get(one.label)!] = one.score;
      scored[i] = {
        id,
        label: label === undefined ? undefined : places.get(label),
        group,
        scores,
        ...(answer.reject && { familiarity: answer.reject.odds, known: answer.known }),
      };
      bar.step();
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, work));
  } finally {
    next = subjects.length; // after a failure no more requests are sent
    bar.stop();
  }
  return scored;
}
