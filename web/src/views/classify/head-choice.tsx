import { useEffect } from "preact/hooks";
import { linkTo } from "../../router.js";
import { returns } from "../../server.js";
import type { Input, LabelSet } from "./request.js";
import { changeSet } from "./state.js";
import { headNamed, isLoaded, refreshTaughtHeads, taughtHeads, withHead } from "./taught-heads.js";

const shownLabels = 4;

/** What was taught, to answer in place of the model alone. */
export function HeadChoice({ set, input }: { set: LabelSet; input: Input | undefined }) {
  useEffect(() => void refreshTaughtHeads(), [returns.value]);
  const { head } = set;
  const list = taughtHeads.value.filter(
    (one) => (one.isOffered && isLoaded(one)) || one.reference === head?.reference,
  );
  if (list.length === 0 && head === undefined) return null;
  return (
    <>
      <select
        aria-label="Taught head"
        value={head?.reference ?? ""}
        onChange={({ currentTarget }) =>
          changeSet(set.id, withHead(headNamed(currentTarget.value)))
        }
      >
        <option value="">{head === undefined ? "Taught…" : "the model alone"}</option>
        {list.map(({ reference, labels, modalities }) => (
          <option
            key={reference}
            value={reference}
            disabled={input !== undefined && !modalities.includes(input.modality)}
          >
            {reference}: {labels === undefined ? "a projection" : inShort(labels)}
          </option>
        ))}
      </select>
      {head !== undefined && (
        <span class="sentence">
          {head.labels === undefined
            ? `through the projection ${head.reference}, version ${head.version}`
            : `taught by examples, version ${head.version}; it knows these labels only`}{" "}
          (<a href={linkTo("teach")}>Teach</a>)
        </span>
      )}
    </>
  );
}

function inShort(labels: readonly string[]): string {
  const named = labels.slice(0, shownLabels).join(", ");
  return labels.length > shownLabels ? `${named}…` : named;
}
