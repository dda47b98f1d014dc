import { useEffect, useState } from "preact/hooks";
import { Needs, WhyOff } from "../../components/needs.js";
import { isAsSaved, type LabelSet } from "./request.js";
import { deleteSaved, fromSaved, refreshSavedSets, savedSets, saveSet } from "./saved-sets.js";
import { changeSet } from "./state.js";

/** Label sets that the server keeps: chosen, saved, updated, deleted. */
export function SavedSetRow({ set }: { set: LabelSet }) {
  const [isNaming, setNaming] = useState(false);
  useEffect(() => void refreshSavedSets(), []);
  const { saved, labels } = set;
  const list = savedSets.value;
  const isChanged = saved !== undefined && !isAsSaved(set);
  const choose = (name: string) => {
    const chosen = list.find((one) => one.name === name);
    changeSet(set.id, chosen === undefined ? { saved: undefined } : fromSaved(chosen));
  };
  return (
    <div class="row saved-sets">
      {list.length > 0 && (
        <select
          aria-label="Saved label set"
          value={saved?.name ?? ""}
          onChange={({ currentTarget }) => choose(currentTarget.value)}
        >
          <option value="">{saved === undefined ? "Saved sets…" : "none of them"}</option>
          {list.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
      <Needs scope="write">
        {isChanged && (
          <button
            type="button"
            disabled={labels.length === 0}
            onClick={() => saveSet(set, saved.name)}
          >
            Update {saved.name}
          </button>
        )}
        {isNaming ? (
          <form
            class="row"
            onSubmit={(event) => {
              event.preventDefault();
              const form = new FormData(event.currentTarget as HTMLFormElement);
              setNaming(false);
              void saveSet(set, String(form.get("name")).trim().replace(/\s+/g, "-"));
            }}
          >
            <input
              name="name"
              aria-label="Name of the label set"
              placeholder="name of the set"
              required
              size={14}
              ref={(element) => element?.focus()}
              onKeyDown={(event) => event.key === "Escape" && setNaming(false)}
            />
            <button type="submit">Save</button>
          </form>
        ) : (
          (saved === undefined || isChanged) && (
            <button type="button" disabled={labels.length === 0} onClick={() => setNaming(true)}>
              {saved === undefined ? "Save set…" : "Save as…"}
            </button>
          )
        )}
        {saved !== undefined && !isChanged && (
          <button type="button" class="plain quiet" onClick={() => deleteSaved(set)}>
            Delete set
          </button>
        )}
      </Needs>
      {saved !== undefined && (
        <span class="sentence">
          {isChanged ? `changed since version ${saved.version}` : `version ${saved.version}`}
          {saved.thresholds_of !== undefined && ", with thresholds of its own"}
        </span>
      )}
      <WhyOff scope="write" doing="Saving a set" />
    </div>
  );
}
