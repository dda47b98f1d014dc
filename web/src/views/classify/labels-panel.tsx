import type { Ref } from "preact";
import { useState } from "preact/hooks";
import { LabelChips } from "../../components/label-chips.js";
import { toast } from "../../components/toasts.js";
import { modalityNames } from "../../media.js";
import { sentenceOf } from "../../server.js";
import { status } from "../../status.js";
import { BackgroundProgress } from "./background-progress.js";
import { suggestContrasts } from "./contrasts.js";
import { HeadChoice } from "./head-choice.js";
import { LabelPrompts } from "./label-prompts.js";
import type { Input, LabelSet } from "./request.js";
import { SavedSetRow } from "./saved-set-row.js";
import { addSet, changeSet, inputs, maxSets, outcomeOf, removeSet, sets } from "./state.js";

/** The labels, and where more of them come from. */
export function LabelsPanel({
  set,
  input,
  labelsRef,
}: {
  set: LabelSet;
  input: Input | undefined;
  labelsRef?: Ref<HTMLInputElement>;
}) {
  const { id, labels, head, start } = set;
  const isFixed = head?.labels !== undefined;
  const [isSuggesting, setSuggesting] = useState(false);
  const suggest = async () => {
    setSuggesting(true);
    try {
      const more = await suggestContrasts(labels, input?.modality ?? "image");
      changeSet(id, { labels: [...labels, ...more] });
    } catch (error) {
      toast(sentenceOf(error));
    } finally {
      setSuggesting(false);
    }
  };
  return (
    <section class="labels" aria-label="Labels">
      <p>
        <strong>Labels</strong>{" "}
        <span class="quiet">
          {isFixed ? "— as they were taught" : "— any words; Enter adds, Backspace removes"}
        </span>
      </p>
      {isFixed ? (
        <ul class="chips" aria-label="Taught labels">
          {labels.map((label) => (
            <li class="chip" key={label}>
              {label}
            </li>
          ))}
        </ul>
      ) : (
        <LabelChips
          labels={labels}
          inputRef={labelsRef}
          onChange={(changed) => changeSet(id, { labels: changed })}
        />
      )}
      {start === "words" && (
        <p class="sentence">Everyday words to begin with: change them to what you want to know.</p>
      )}
      <div class="row">
        {!isFixed && (
          <button type="button" disabled={labels.length === 0 || isSuggesting} onClick={suggest}>
            Suggest contrasts
          </button>
        )}
        {sets.value.length < maxSets && input !== undefined && (
          <button type="button" onClick={addSet}>
            Another set beside it
          </button>
        )}
        {sets.value.length > 1 && (
          <button type="button" onClick={() => removeSet(id)}>
            Remove this set
          </button>
        )}
        {!isFixed && <SavedSetRow set={set} />}
        <HeadChoice set={set} input={input} />
      </div>
    </section>
  );
}

/** How the labels are asked: the sentence around them, and what an answer may be. */
export function AskingPanel({ set, input }: { set: LabelSet; input: Input | undefined }) {
  const { id, prompt, multiLabel, head } = set;
  if (head?.labels !== undefined) return null;
  const templates = input && templatesOf(input.modality);
  return (
    <section class="asking" aria-label="How it is asked">
      <label class="prompt">
        <span class="quiet">Prompt</span>
        <textarea
          rows={1}
          value={prompt}
          placeholder={templates?.join("\n") || "the label alone"}
          onInput={({ currentTarget }) => changeSet(id, { prompt: currentTarget.value })}
        />
      </label>
      <p class="sentence">
        {templates === undefined || templates.length === 0
          ? "A sentence with {} where the label goes; several lines are averaged."
          : `This sentence suits the model best around the label of a ` +
            `${modalityNames[input!.modality]}; write another with {} to change it.`}
      </p>
      <LabelPrompts set={set} />
      <label class="check">
        <input
          type="checkbox"
          checked={multiLabel}
          onChange={({ currentTarget }) => changeSet(id, { multiLabel: currentTarget.checked })}
        />
        several labels may be right
      </label>
      <RejectChoice set={set} />
    </section>
  );
}

/** "None of these", with how often one accepts to be wrong about it. */
function RejectChoice({ set }: { set: LabelSet }) {
  const { id, falseAlarmRate } = set;
  const isOn = falseAlarmRate !== undefined;
  const waiting = isOn && inputs.value.find((one) => outcomeOf(one, set)?.state === "working");
  const choose = (rate: number | undefined) => changeSet(id, { falseAlarmRate: rate });
  return (
    <div class="row reject">
      <label class="check">
        <input
          type="checkbox"
          checked={isOn}
          onChange={({ currentTarget }) => choose(currentTarget.checked ? 0.05 : undefined)}
        />
        may answer “none of these”, wrong at most
      </label>
      <select
        aria-label="False alarms"
        disabled={!isOn}
        value={falseAlarmRate ?? 0.05}
        onChange={({ currentTarget }) => choose(Number(currentTarget.value))}
      >
        {[0.01, 0.05, 0.1, 0.2].map((rate) => (
          <option key={rate} value={rate}>
            {100 * rate} %
          </option>
        ))}
      </select>
      <span class="sentence">of the time when none fits</span>
      {waiting && <BackgroundProgress modality={waiting.modality} />}
    </div>
  );
}

function templatesOf(modality: Input["modality"]): readonly string[] {
  const model = status.value.models.find(({ modalities }) => modalities.includes(modality));
  return model?.prompt_templates[modality] ?? [];
}
