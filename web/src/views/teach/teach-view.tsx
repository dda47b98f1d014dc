import { useEffect } from "preact/hooks";
import { usePolled } from "../../components/use-polled.js";
import { linkTo, route } from "../../router.js";
import { server } from "../../server.js";
import { ClassCard } from "./class-card.js";
import { Heads } from "./heads.js";
import { isRestored, keepClasses } from "./kept-classes.js";
import { addClass, classes, modality, model, obstacle, usable } from "./state.js";
import { StoredView } from "./stored-view.js";
import "./teach.css";
import { TeachForm } from "./teach-form.js";
import type { Lesson } from "./teaching.js";

/** Labels from a handful of examples, or from a collection, taught in seconds and tried at once. */
export default function TeachView() {
  const { answer, failure, askNow } = usePolled(() => server.peek().listHeads());
  const heads = answer?.data ?? [];
  useEffect(() => void keepClasses(), []);
  const isStored = route.value.path[0] !== undefined || route.value.params.has("stored");
  return (
    <main class="teach">
      <h1 class="only-read-aloud">Teach</h1>
      <nav class="row sources" aria-label="What to teach from">
        <a class="button" href={linkTo("teach")} aria-current={isStored ? undefined : "true"}>
          From examples of yours
        </a>
        <a
          class="button"
          href={linkTo("teach", [], { stored: "yes" })}
          aria-current={isStored ? "true" : undefined}
        >
          From a collection
        </a>
      </nav>
      <p class="quiet intro">
        Show it a few examples of each thing: a second later it tells new ones apart.
      </p>
      {isStored ? (
        <StoredView heads={heads} onTaught={askNow} />
      ) : !isRestored.value ? (
        <p class="sentence" role="status">
          Looking for the examples of before…
        </p>
      ) : (
        <>
          <div class="classes">
            {classes.value.map((one) => (
              <ClassCard key={one.id} taughtClass={one} />
            ))}
            <button type="button" class="plain" onClick={addClass}>
              + Another class
            </button>
          </div>
          <div class="lesson">
            <TeachForm
              lesson={ownLesson()}
              obstacle={obstacle.value}
              heads={heads}
              onTaught={askNow}
            />
          </div>
        </>
      )}
      <Heads heads={heads} failure={failure} onChange={askNow} />
    </main>
  );
}

function ownLesson(): Lesson | undefined {
  const [current, kind] = [model.value, modality.value];
  if (current === undefined || kind === undefined) return undefined;
  return { model: current, modality: kind, examples: usable.value };
}
