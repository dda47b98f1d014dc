import { useEffect, useState } from "preact/hooks";
import { Needs } from "../../components/needs.js";
import { inWorker } from "./in-worker.js";
import { LabelChoice } from "./label-choice.js";
import {
  labelled,
  labelsOf,
  leftOut,
  relabel,
  type StoredItem,
  type StoredLesson,
  unlabelled,
} from "./stored-lesson.js";
import { taught } from "./teaching.js";

interface Guess {
  id: string;
  label: string;
  probability: number;
}

const shown = 12;

/** Unlabelled items that the taught head is least sure about: labels for these help most. */
export function LabelNext({ lesson }: { lesson: StoredLesson }) {
  const [guesses, setGuesses] = useState<readonly Guess[]>();
  const version = taught.value?.version;
  useEffect(() => {
    const others = unlabelled.peek();
    const labelledItems = labelled.peek().filter(({ id }) => !leftOut.peek().has(id));
    const labels = labelsOf(labelledItems);
    if (version === undefined || others.length === 0 || labels.length < 2) return;
    const abort = new AbortController();
    const examples = {
      embeddings: labelledItems.map(({ embedding }) => embedding),
      labels: labelledItems.map(({ label }) => labels.indexOf(label!)),
      classes: labels.length,
    };
    const unknown = others.map(({ embedding }) => embedding);
    inWorker("predict", [examples, unknown], abort.signal).then(
      (predictions) => setGuesses(leastCertain(others, labels, predictions)),
      () => undefined, // The view was left meanwhile
    );
    return () => abort.abort();
  }, [version]);
  if (unlabelled.value.length === 0) return null;
  const labels = labelsOf(labelled.value);
  const now = new Map(lesson.items.map((item) => [item.id, item]));
  return (
    <section class="card suspects" aria-label="What to label next">
      <header class="row">
        <strong>What to label next</strong>
        <span class="quiet">
          {guesses === undefined
            ? `${unlabelled.value.length.toLocaleString()} have no label; teach first, and those ` +
              "that help most are shown here"
            : "what it is least sure about; then teach again"}
        </span>
      </header>
      <ul>
        {guesses?.map(({ id, label, probability }) => {
          const item = now.get(id);
          return (
            item !== undefined && (
              <LabelChoice key={id} item={item} labels={labels} modality={lesson.modality}>
                <p class="row">
                  <span class="sentence">
                    {label}? {Math.round(100 * probability)} % sure
                  </span>
                  {item.label === undefined && (
                    <Needs scope="write">
                      <button type="button" onClick={() => void relabel(item, label)}>
                        Yes
                      </button>
                    </Needs>
                  )}
                </p>
              </LabelChoice>
            )
          );
        })}
      </ul>
    </section>
  );
}

function leastCertain(
  others: readonly StoredItem[],
  labels: readonly string[],
  predictions: readonly { label: number; probability: number; margin: number }[],
): Guess[] {
  return predictions
    .map((one, i) => ({ ...one, id: others[i].id, label: labels[one.label] }))
    .sort((a, b) => a.margin - b.margin)
    .slice(0, shown);
}
