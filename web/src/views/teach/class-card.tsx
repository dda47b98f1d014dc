import { useEffect, useRef, useState } from "preact/hooks";
import { RecordButton } from "../../components/record-button.js";
import { droppedFiles } from "../../files.js";
import { LessonMedia } from "./lesson-media.js";
import {
  addExamples,
  addedId,
  addTexts,
  modality,
  removeClass,
  removeExample,
  renameClass,
  type TaughtClass,
} from "./state.js";

/** A class: its name and its examples. Files are dropped on it. */
export function ClassCard({ taughtClass }: { taughtClass: TaughtClass }) {
  const { id, name, examples } = taughtClass;
  const choose = useRef<HTMLInputElement>(null);
  const nameField = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (id === addedId) nameField.current?.focus();
  }, [id]);
  const title = name.trim() || "this class";
  return (
    <section
      class="card class-card"
      aria-label={`Class ${title}`}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void droppedFiles(event.dataTransfer!).then((found) =>
          addExamples(
            id,
            found.map(({ file }) => file),
          ),
        );
      }}
      onDragOver={(event) => event.preventDefault()}
    >
      <header class="row">
        <input
          class="class-name"
          aria-label="Name of the class"
          placeholder="name of the class"
          ref={nameField}
          value={name}
          onInput={({ currentTarget }) => renameClass(id, currentTarget.value)}
        />
        <span class="quiet">
          {examples.length === 1 ? "1 example" : `${examples.length} examples`}
        </span>
        <span class="right row">
          {(modality.value ?? "audio") === "audio" && (
            <RecordButton onRecorded={(file) => void addExamples(id, [file])} />
          )}
          <button type="button" onClick={() => choose.current?.click()}>
            Choose…
          </button>
          <button
            type="button"
            class="plain"
            aria-label={`Remove ${title}`}
            onClick={() => removeClass(id)}
          >
            ×
          </button>
        </span>
        <input
          ref={choose}
          type="file"
          multiple
          hidden
          accept="image/*,audio/*,.txt,.md"
          aria-label={`Examples of ${title}`}
          onChange={({ currentTarget }) => {
            void addExamples(id, [...(currentTarget.files ?? [])]);
            currentTarget.value = "";
          }}
        />
      </header>
      {examples.length === 0 ? (
        <p class="sentence">
          {name === "background"
            ? "If you like: what is there when nothing else is, such as a silent room or an " +
              "empty street. It keeps the others honest."
            : "Drop pictures, sounds or texts here, or hold to record. Ten are plenty; five are " +
              "often enough."}
        </p>
      ) : (
        <ul class="examples-of-class">
          {examples.map((example) => (
            <li
              key={example.id}
              class={example.failure ? "failed" : example.embedding ? undefined : "pending"}
              title={example.failure}
            >
              <LessonMedia example={example} modality={modality.value!} />
              <button
                type="button"
                class="plain remove"
                aria-label={`Remove ${example.name}`}
                onClick={() => removeExample(id, example.id)}
              >
                ×
              </button>
              {example.failure !== undefined && <p class="bad">{example.failure}</p>}
            </li>
          ))}
        </ul>
      )}
      {(modality.value ?? "text") === "text" && <TextEntry classId={id} title={title} />}
    </section>
  );
}

/** Texts that are typed or pasted, one a line. */
function TextEntry({ classId, title }: { classId: number; title: string }) {
  const [text, setText] = useState("");
  const add = () => {
    addTexts(classId, text);
    setText("");
  };
  return (
    <form
      class="row text-entry"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <textarea
        rows={1}
        aria-label={`Texts for ${title}`}
        placeholder="or write a text, one a line"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          add();
        }}
      />
      <button type="submit" disabled={text.trim() === ""}>
        Add
      </button>
    </form>
  );
}
