import type { ComponentChildren } from "preact";
import { Needs } from "../../components/needs.js";
import { LessonMedia } from "./lesson-media.js";
import type { TaughtModality } from "./state.js";
import { relabel, type StoredItem } from "./stored-lesson.js";

/** An item with its prediction, and the label that it has or may get. */
export function LabelChoice({
  item,
  labels,
  modality,
  children,
}: {
  item: StoredItem;
  labels: readonly string[];
  modality: TaughtModality;
  children: ComponentChildren;
}) {
  return (
    <li class="label-choice">
      <LessonMedia example={item} modality={modality} />
      <div>
        <p class="name" title={item.id}>
          {item.id}
        </p>
        {children}
        <label class="row">
          <span class="quiet">It is</span>
          <Needs scope="write">
            <select
              aria-label={`Label of ${item.id}`}
              value={item.label ?? ""}
              onChange={({ currentTarget }) => void relabel(item, currentTarget.value || undefined)}
            >
              {item.label === undefined && <option value="">not labelled</option>}
              {labels.map((label) => (
                <option key={label}>{label}</option>
              ))}
            </select>
          </Needs>
        </label>
      </div>
    </li>
  );
}
