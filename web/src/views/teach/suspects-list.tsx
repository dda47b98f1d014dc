import { useState } from "preact/hooks";
import { LabelChoice } from "./label-choice.js";
import { leftOut, type StoredLesson, screened, toggleLeftOut } from "./stored-lesson.js";
import type { Suspect } from "./suspects.js";

const shownAtOnce = 12;

/** Items whose label may be wrong, seen and heard before they are left out or relabelled. */
export function SuspectsList({ lesson }: { lesson: StoredLesson }) {
  const [shown, setShown] = useState(shownAtOnce);
  const found = screened.value;
  if (found === undefined)
    return (
      <section class="card suspects" aria-label="Labels that may be wrong">
        <p class="sentence" role="status">
          Looking for labels that may be wrong…
        </p>
      </section>
    );
  const { items, labels, mixedLabels } = found;
  const now = new Map(lesson.items.map((item) => [item.id, item]));
  const suspects = found.suspects.filter(({ at }) => now.has(items[at].id)); // not deleted since
  const ids = suspects.map(({ at }) => items[at].id);
  const outCount = ids.filter((id) => leftOut.value.has(id)).length;
  const why = (suspect: Suspect): string => {
    if (suspect.kind === "predicted")
      return (
        `called ${items[suspect.at].label}, but the others say ${labels[suspect.label]} ` +
        `(${Math.round(100 * suspect.probability)} % sure)`
      );
    if (suspect.kind === "alone") return "unlike everything else";
    const twin = items[suspect.twin];
    return `almost the same as ${twin.name}, which is called ${twin.label}`;
  };
  return (
    <section class="card suspects" aria-label="Labels that may be wrong">
      <header class="row">
        <strong>
          {suspects.length === 0 ? "No label looks wrong" : `${suspects.length} may be wrong`}
        </strong>
        <span class="quiet">
          {suspects.length > 0 && `look and listen before you leave any out; ${outCount} left out`}
        </span>
        {suspects.length > 0 && (
          <button
            type="button"
            class="right"
            onClick={() => toggleLeftOut(ids, outCount < ids.length)}
          >
            {outCount < ids.length ? "Leave all out" : "Teach them all"}
          </button>
        )}
      </header>
      <ul>
        {suspects.slice(0, shown).map((suspect) => {
          const item = now.get(items[suspect.at].id)!;
          const was = items[suspect.at].label;
          return (
            <LabelChoice key={item.id} item={item} labels={labels} modality={lesson.modality}>
              <p class="sentence">
                {item.label === was ? why(suspect) : `was called ${was}, is ${item.label} now`}
              </p>
              <label class="check">
                <input
                  type="checkbox"
                  checked={leftOut.value.has(item.id)}
                  onChange={({ currentTarget }) => toggleLeftOut([item.id], currentTarget.checked)}
                />
                leave it out
              </label>
            </LabelChoice>
          );
        })}
      </ul>
      {suspects.length > shown && (
        <button type="button" class="plain" onClick={() => setShown(shown + 48)}>
          {suspects.length - shown} more
        </button>
      )}
      {mixedLabels.length > 0 && (
        <p class="sentence">
          {mixedLabels.map((label) => labels[label]).join(" and ")}{" "}
          {mixedLabels.length === 1 ? "names" : "each name"} items that are as unlike as any two
          here: a label for each kind of thing is learnt better.
        </p>
      )}
    </section>
  );
}
