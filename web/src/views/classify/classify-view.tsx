import { useEffect, useRef, useState } from "preact/hooks";
import { useDropping } from "../../components/use-dropping.js";
import { useKeys } from "../../components/use-keys.js";
import { useStopWhenHidden } from "../../components/use-stop-when-hidden.js";
import { droppedFiles } from "../../files.js";
import { closedForKey } from "../../sound/listening.js";
import "./classify.css";
import { startClassifying } from "./address.js";
import { EventsList } from "./events-list.js";
import { ExampleStrip } from "./example-strip.js";
import { Intake } from "./intake.js";
import { AskingPanel, LabelsPanel } from "./labels-panel.js";
import { Live } from "./live.js";
import { liveEvents } from "./live-events.js";
import type { Input } from "./request.js";
import { Results } from "./results.js";
import { Several } from "./several.js";
import { SoundPanel } from "./sound-panel.js";
import { offerLabelsToHear } from "./starting-labels.js";
import { cursor, inputs, openFiles, openText, outcomeOf, selected, sets } from "./state.js";

/** A picture, a sound or a text against any labels. */
export default function ClassifyView() {
  const [isLive, setLive] = useState(false);
  const labels = useRef<HTMLInputElement>(null);
  const dropping = useDropping(take);
  useEffect(startClassifying, []);
  useStopWhenHidden(() => {
    setLive(false);
    return isLive ? closedForKey : undefined;
  });
  useKeys({
    "/": () => {
      labels.current?.focus();
      return true;
    },
  });
  const input = selected.value;
  return (
    <main class={dropping ? "dropping" : undefined}>
      <h1 class="only-read-aloud">Classify</h1>
      <div class="start">
        <ExampleStrip />
        <Intake
          onLive={() => {
            offerLabelsToHear();
            setLive(true);
          }}
        />
      </div>
      {isLive ? (
        <Live set={sets.value[0]} onClose={() => setLive(false)} />
      ) : (
        <>
          <Heard />
          {inputs.value.length > 1 && <Several set={sets.value[0]} />}
          {input === undefined ? <Empty /> : <Content key={input.id} input={input} />}
        </>
      )}
      <div class={`sets count-${sets.value.length}`}>
        {sets.value.map((set, i) => (
          <div class="set" key={set.id}>
            <LabelsPanel set={set} input={input} labelsRef={i === 0 ? labels : undefined} />
            {input !== undefined && !isLive && <Results key={input.id} input={input} set={set} />}
            <AskingPanel set={set} input={input} />
          </div>
        ))}
      </div>
    </main>
  );
}

/** Events of the microphone, after it was closed. */
function Heard() {
  const { length } = liveEvents.value;
  if (length === 0) return null;
  return (
    <details class="card heard" open aria-label="Events">
      <summary>
        <strong>Heard live</strong>{" "}
        <span class="quiet">
          {length === 1 ? "1 event" : `${length.toLocaleString()} events`}; they stay until this tab
          is closed
        </span>
      </summary>
      <EventsList canOpen />
    </details>
  );
}

function Empty() {
  return (
    <section class="card empty">
      <strong>What is it?</strong>
      <p class="quiet">
        Pictures and sounds are recognised by words that you choose. Click an example, or drop a
        file of your own; then change the labels, and see how well each fits.
      </p>
    </section>
  );
}

function Content({ input }: { input: Input }) {
  const [set] = sets.value;
  const outcome = outcomeOf(input, set);
  const answer = outcome?.state === "done" ? outcome.answer : undefined;
  const lastAnswer = useRef(answer);
  lastAnswer.current = answer ?? lastAnswer.current;
  if (input.modality === "audio")
    return (
      <SoundPanel
        input={input}
        labels={set.labels}
        windows={lastAnswer.current?.timeline}
        model={lastAnswer.current?.model}
        cursor={cursor}
      />
    );
  return (
    <section class="card seen" aria-label={input.name}>
      <header class="row">
        <strong>{input.name}</strong>
        {lastAnswer.current && <span class="quiet right">model: {lastAnswer.current.model}</span>}
      </header>
      {input.modality === "image" ? (
        <Picture input={input} isUnreadable={outcome?.state === "failed"} />
      ) : (
        <blockquote>{input.text}</blockquote>
      )}
    </section>
  );
}

function Picture({ input, isUnreadable }: { input: Input; isUnreadable: boolean }) {
  const [isShown, setShown] = useState(true);
  return isShown ? (
    <img src={input.url} alt={input.name} onError={() => setShown(false)} />
  ) : (
    <p class="sentence">
      This browser cannot show this {isUnreadable ? "file." : "kind of picture; the server can."}
    </p>
  );
}

/** Files, folders of them or a text that were dropped or pasted. */
async function take(data: DataTransfer): Promise<void> {
  const text = data.getData("text/plain").trim();
  const found = await droppedFiles(data);
  if (found.length > 0) openFiles(found.map(({ file }) => file));
  else if (text !== "") openText(text);
}
