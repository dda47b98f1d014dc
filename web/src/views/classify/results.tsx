import { useRef } from "preact/hooks";
import type { ZeroShotAnswer } from "../../../../src/wire/zero-shot.js";
import { CodeTabs } from "../../components/code-tabs.js";
import { ScoreBars } from "../../components/score-bars.js";
import { timeText } from "../../media.js";
import { windowAt } from "../../sound/lanes.js";
import { languages, snippetOf } from "./snippets.js";
import { cursor, type Input, type LabelSet, outcomeOf, retry } from "./state.js";

/** What a set's labels score, of all of it or at the cursor; and how to ask the same elsewhere. */
export function Results({ input, set }: { input: Input; set: LabelSet }) {
  const outcome = outcomeOf(input, set);
  // While another answer is on its way, the last one stays, so that nothing jumps.
  const last = useRef<ZeroShotAnswer>(undefined);
  if (outcome?.state === "done") last.current = outcome.answer;
  if (set.labels.length === 0)
    return <p class="sentence">Add labels: what might this be? The scores appear here.</p>;
  if (outcome?.state === "failed")
    return (
      <div class="failed" role="alert">
        <p class="bad">{outcome.sentence}</p>
        <button type="button" onClick={retry}>
          Try again
        </button>
      </div>
    );
  const answer = last.current;
  if (answer === undefined) return <p class="sentence">{`Listening to ${input.name}…`}</p>;
  const at = cursor.value;
  const window = at === undefined ? undefined : answer.timeline && windowAt(answer.timeline, at);
  return (
    <section aria-label="Scores">
      <div class="row heading">
        {window === undefined ? (
          <p>
            <strong>{input.modality === "audio" ? "Whole sound" : "Scores"}</strong>{" "}
            <span class="quiet">
              — {set.multiLabel ? "each label by itself" : "they add up to 1"}
            </span>
          </p>
        ) : (
          <p>
            <strong>At {timeText(at!)}</strong>{" "}
            <span class="quiet">
              — window {Number(window.start_seconds.toFixed(1))} to{" "}
              {Number(window.end_seconds.toFixed(1))} s
            </span>
          </p>
        )}
        {window !== undefined && (
          <button
            type="button"
            class="plain right"
            onClick={() => {
              cursor.value = undefined;
            }}
          >
            Whole sound
          </button>
        )}
      </div>
      <ScoreBars
        scores={window?.scores ?? answer.scores}
        modality={input.modality}
        isStale={outcome?.state !== "done"}
      />
      {answer.warnings?.map((warning) => (
        <p class="sentence" key={warning}>
          {warning}
        </p>
      ))}
      <CodeTabs languages={languages} codeOf={(language) => snippetOf(language, input, set)} />
    </section>
  );
}
