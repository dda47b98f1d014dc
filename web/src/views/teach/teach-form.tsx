import { useState } from "preact/hooks";
import type { HeadAnswer } from "../../../../src/wire/heads.js";
import { Outcome } from "./outcome.js";
import { type Lesson, taught, teach } from "./teaching.js";
import { TryIt } from "./try-it.js";

/** Teaches the examples under a name, reports the quality, and lets the user try it. */
export function TeachForm({
  lesson,
  obstacle,
  heads,
  onTaught,
}: {
  lesson: Lesson | undefined;
  /** What prevents teaching, in words. */
  obstacle: string | undefined;
  heads: readonly HeadAnswer[];
  onTaught: () => void;
}) {
  const [name, setName] = useState("mine");
  const isBusy = taught.value?.state === "working";
  const isOwn = taught.value?.collection === lesson?.collection;
  const replaced = heads.find((head) => head.name === name.trim());
  return (
    <form
      class="card"
      aria-label="Teach"
      onSubmit={(event) => {
        event.preventDefault();
        if (lesson !== undefined) void teach(name.trim(), lesson).then(onTaught);
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
        disabled={obstacle !== undefined || isBusy || lesson === undefined}
      >
        Teach
      </button>
      <p class="sentence" role="status">
        {obstacle ??
          (lesson &&
            `${lesson.examples.length.toLocaleString()} examples for ${lesson.model.id}.` +
              (replaced === undefined ? "" : ` ${replacedSentence(replaced)}`))}
      </p>
      {isOwn && <Outcome />}
      {isOwn && <TryIt />}
    </form>
  );
}

/** What happens if the name is taken. */
function replacedSentence({ name, versions }: HeadAnswer): string {
  const inUse = versions.find(({ active }) => active);
  const next = `This becomes version ${Math.max(...versions.map(({ version }) => version)) + 1}`;
  if (inUse === undefined || "error" in inUse) return `${next} of ${name}.`;
  const labels = inUse.labels?.length ? ` (${inUse.labels.slice(0, 6).join(", ")})` : "";
  return `${next} of ${name} and is used in place of version ${inUse.version}${labels}.`;
}
