import { useState } from "preact/hooks";
import type { HeadAnswer } from "../../../../src/wire/heads.js";
import { usePolled } from "../../components/use-polled.js";
import { server } from "../../server.js";
import { ClassCard } from "./class-card.js";
import { Heads } from "./heads.js";
import { Outcome } from "./outcome.js";
import { addClass, classes, model, obstacle, usable } from "./state.js";
import "./teach.css";
import { taught, teach } from "./teaching.js";
import { TryIt } from "./try-it.js";

/** Labels from a handful of examples, taught in seconds and tried at once. */
export default function TeachView() {
  const [name, setName] = useState("mine");
  const isBusy = taught.value?.state === "working";
  const { answer, failure, askNow } = usePolled(() => server.peek().listHeads(), 4000);
  const heads = answer?.data ?? [];
  const replaced = heads.find((head) => head.name === name.trim());
  return (
    <main class="teach">
      <h1 class="only-read-aloud">Teach</h1>
      <div class="classes">
        {classes.value.map((one) => (
          <ClassCard key={one.id} taughtClass={one} />
        ))}
        <button type="button" class="plain" onClick={addClass}>
          + Another class
        </button>
      </div>
      <div class="lesson">
        <form
          class="card"
          aria-label="Teach"
          onSubmit={(event) => {
            event.preventDefault();
            void teach(name.trim()).then(askNow);
          }}
        >
          <label class="row">
            Name
            <input
              value={name}
              required
              pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
              title="letters, digits, dots and dashes"
              onInput={({ currentTarget }) => setName(currentTarget.value)}
            />
          </label>
          <button
            type="submit"
            class="primary"
            disabled={obstacle.value !== undefined || isBusy || model.value === undefined}
          >
            Teach
          </button>
          <p class="sentence" role="status">
            {obstacle.value ??
              `${usable.value.length} examples for ${model.value?.id}.` +
                (replaced === undefined ? "" : ` ${replacedSentence(replaced)}`)}
          </p>
          <Outcome />
          <TryIt />
        </form>
      </div>
      <Heads heads={heads} failure={failure} onChange={askNow} />
    </main>
  );
}

/** What a name that is taken means. */
function replacedSentence({ name, versions }: HeadAnswer): string {
  const inUse = versions.find(({ active }) => active);
  const next = `This becomes version ${Math.max(...versions.map(({ version }) => version)) + 1}`;
  if (inUse === undefined || "error" in inUse) return `${next} of ${name}.`;
  const labels = inUse.labels?.length ? ` (${inUse.labels.slice(0, 6).join(", ")})` : "";
  return `${next} of ${name} and is used in place of version ${inUse.version}${labels}.`;
}
