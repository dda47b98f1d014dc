import { useState } from "preact/hooks";
import type { HeadAnswer } from "../../../../src/wire/heads.js";
import { Needs, WhyOff } from "../../components/needs.js";
import { Outcome } from "./outcome.js";
import { type Lesson, taught, teach } from "./teaching.js";

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
  const [written, setWritten] = useState<string>();
  const name = written ?? freeName(lesson, heads);
  const isBusy = taught.value?.state === "working";
  const isOwn = taught.value?.collection === lesson?.collection;
  const replaced = heads.find((head) => head.name === name.trim());
  return (
    <form
      class="card"
      aria-label="Teach"
      onSubmit={(event) => {
        event.preventDefault();
        setWritten(name); // Teaching again makes another version of it
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
          onInput={({ currentTarget }) => setWritten(currentTarget.value)}
        />
      </label>
      <Needs scope="write">
        <button
          type="submit"
          class="primary"
          disabled={obstacle !== undefined || isBusy || lesson === undefined}
        >
          Teach
        </button>
      </Needs>
      <WhyOff scope="write" doing="Teaching" />
      <p class="sentence" role="status">
        {obstacle ??
          (lesson &&
            `${lesson.examples.length.toLocaleString()} examples for ${lesson.model.id}.` +
              (replaced === undefined ? "" : ` ${replacedSentence(replaced)}`))}
      </p>
      {isOwn && <Outcome heads={heads} />}
    </form>
  );
}

/** A name that nothing else was taught under: what is in use does not change by accident. */
function freeName(lesson: Lesson | undefined, heads: readonly HeadAnswer[]): string {
  const stem = lesson?.collection === undefined ? "mine" : `${lesson.collection}-labels`;
  const labels = new Set(lesson?.examples.map(({ label }) => label));
  const isFree = (name: string) => {
    const versions = heads.find((head) => head.name === name)?.versions ?? [];
    return versions.every(
      (one) =>
        "labels" in one &&
        one.labels?.length === labels.size &&
        one.labels.every((label) => labels.has(label)),
    );
  };
  let name = stem;
  for (let i = 2; !isFree(name); i++) name = `${stem}-${i}`;
  return name;
}

/** What happens if the name is taken. */
function replacedSentence({ name, versions }: HeadAnswer): string {
  const inUse = versions.find(({ active }) => active);
  const next = `This becomes version ${Math.max(...versions.map(({ version }) => version)) + 1}`;
  if (inUse === undefined || "error" in inUse) return `${next} of ${name}.`;
  const labels = inUse.labels?.length ? ` (${inUse.labels.slice(0, 6).join(", ")})` : "";
  return `${next} of ${name} and is used in place of version ${inUse.version}${labels}.`;
}
