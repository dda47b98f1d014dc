import { useEffect, useRef, useState } from "preact/hooks";
import type { ZeroShotAnswer } from "../../../../src/wire/zero-shot.js";
import { CodeTabs } from "../../components/code-tabs.js";
import { ScoreBars } from "../../components/score-bars.js";
import { timeText } from "../../media.js";
import { windowAt } from "../../sound/lanes.js";
import type { Input, LabelSet } from "./request.js";
import { languages, snippetOf } from "./snippets.js";
import { looking } from "./starting-labels.js";
import { classifyAfterPause, cursor, outcomeOf } from "./state.js";

/**
 * The scores of a set's labels, for the whole input or at the cursor; and the same request as code.
 */
export function Results({ input, set }: { input: Input; set: LabelSet }) {
  const outcome = outcomeOf(input, set);
  // While another answer is loading, the last one stays, so that nothing jumps.
  const last = useRef<ZeroShotAnswer>(undefined);
  if (outcome?.state === "done") last.current = outcome.answer;
  const isLooking = looking.value?.isUnderWay === true;
  if (set.labels.length === 0 && !isLooking) return <NoLabels />;
  if (outcome?.state === "failed")
    return (
      <div class="failed" role="alert">
        <p class="bad">{outcome.sentence}</p>
        <button type="button" onClick={classifyAfterPause}>
          Try again
        </button>
      </div>
    );
  const answer = last.current;
  if (answer === undefined || set.labels.length === 0)
    return <Working key={input.id} input={input} />;
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
      {(window ?? answer).known === false && (
        <p class="none-fits">
          <strong>None of these.</strong>{" "}
          <span class="quiet">{noneSentence(answer, window === undefined)}</span>
        </p>
      )}
      <ScoreBars
        scores={window?.scores ?? answer.scores}
        modality={input.modality}
        hasBest={(window ?? answer).known !== false}
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

const slowAfterSeconds = 3;
const longSeconds = 1200;

/** What is being waited for; how long already, and why, where it takes long. */
function Working({ input: { name, modality, url } }: { input: Input }) {
  const [seconds, setSeconds] = useState(0);
  const [length, setLength] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (modality !== "audio") return;
    const sound = new Audio(url);
    sound.onloadedmetadata = () => setLength(sound.duration);
  }, [modality, url]);
  return (
    <div class="sentence" role="status">
      <p>
        Working on {name}…{" "}
        <span aria-hidden="true">
          {seconds >= slowAfterSeconds && (seconds < 60 ? `${seconds} s` : timeText(seconds))}
        </span>
      </p>
      {length > longSeconds && (
        <p>
          It is {timeText(length)} long and looked at piece by piece, which may take minutes; the
          server gives up after its option requestTimeoutMs, two minutes unless it was changed.
          Parts of up to 20 minutes are answered sooner.
        </p>
      )}
    </div>
  );
}

function NoLabels() {
  const { sentence } = looking.value ?? {};
  return (
    <p class={sentence === undefined ? "sentence" : "bad"} role="status">
      {sentence ?? "Add labels: what might this be? The scores appear here."}
    </p>
  );
}

/** Why none fits: how many things that no label fits look as much like one. */
function noneSentence({ reject }: ZeroShotAnswer, isWhole: boolean): string {
  if (reject === undefined || !isWhole) return "The scores only say which label is nearest.";
  const share = (100 * reject.p_value).toFixed(0);
  return (
    `${share} % of ${reject.background} unrelated things look at least as much like one of the ` +
    "labels."
  );
}
