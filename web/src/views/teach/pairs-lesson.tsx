import { useEffect } from "preact/hooks";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import type { ItemAnswer } from "../../../../src/wire/items.js";
import { Needs, WhyOff } from "../../components/needs.js";
import { toast } from "../../components/toasts.js";
import { sentenceOf, server, serverUrl } from "../../server.js";
import { LessonMedia } from "./lesson-media.js";
import { LiveCurve } from "./live-curve.js";
import { findTraining, keyOf, runs, trainPairs } from "./pairs-training.js";
import { Trained } from "./trained.js";

/** A projection that brings items nearer to their labels, or to their partners. */
export function PairsLesson({
  collection,
  field,
  model,
  onTaught,
}: {
  collection: CollectionAnswer;
  field: string;
  model: string;
  onTaught: () => void;
}) {
  const source = { collection: collection.name, field };
  const run = runs.value.get(keyOf(source));
  const isMixed = Object.keys(collection.count_by_modality).length > 1;
  const name = `${collection.name}-search`;
  useEffect(
    () => void findTraining({ ...source, name }).then(onTaught, () => undefined),
    [keyOf(source)],
  );
  const train = (isExcluding: boolean) =>
    trainPairs({ ...source, model, name, isMixed, isExcluding }).then(onTaught);
  const cancel = (id: string) =>
    server
      .peek()
      .cancelJob(id)
      .catch((error) => toast(sentenceOf(error)));
  return (
    <details class="card pairs-lesson" open={run !== undefined}>
      <summary>
        <strong>Or teach the search</strong>{" "}
        <span class="quiet">
          — a projection that brings {isMixed ? "partners" : "items and their labels"} nearer to
          each other, in a minute or more
        </span>
      </summary>
      <div class="row">
        <Needs scope="write">
          <button
            type="button"
            disabled={run?.state === "working"}
            onClick={() => void train(false)}
          >
            Train {name}
          </button>
        </Needs>
        <span class="sentence">
          {isMixed
            ? `Items with the same ${field} are partners.`
            : `Each item belongs with its ${field}.`}{" "}
          It is used only if it improves on pairs that it has not seen.
        </span>
      </div>
      <WhyOff scope="write" doing="Training" />
      {run?.state === "working" && (
        <div role="status">
          <progress max={1} value={run.progress} aria-label="Training" />
          <p class="sentence">{run.stage}…</p>
          {run.jobId !== undefined && (
            <button type="button" onClick={() => void cancel(run.jobId!)}>
              Cancel
            </button>
          )}
        </div>
      )}
      {run?.state === "failed" && (
        <p class="bad" role="alert">
          {run.sentence}
        </p>
      )}
      {run !== undefined && <LiveCurve epochs={run.epochs} total={run.total} />}
      {run?.result !== undefined && <Trained result={run.result} />}
      {run !== undefined && run.suspects.length > 0 && (
        <section aria-label="Pairs that look wrong">
          <div class="row">
            <strong>Pairs that look wrong</strong>
            {run.result?.screening?.excluded === 0 ? (
              <button type="button" onClick={() => void train(true)}>
                Train again without them
              </button>
            ) : (
              <span class="quiet">{run.result?.screening?.excluded} were left out</span>
            )}
          </div>
          <ul class="examples-of-class">
            {run.suspects.flatMap(({ kind, items }) =>
              items.map((item) => (
                <li key={`${kind} ${item.id}`}>
                  <Stored collection={collection.name} item={item} />
                  <p class="sentence">{reasons[kind] ?? kind}</p>
                </li>
              )),
            )}
          </ul>
        </section>
      )}
    </details>
  );
}

const reasons: Record<string, string> = {
  mismatched: "unlike its partner",
  isolated_a: "unlike everything else",
  isolated_b: "its partner is unlike everything else",
  repeated_caption: "one partner for many unlike items",
  near_duplicate: "almost the same as another with another partner",
};

function Stored({ collection, item }: { collection: string; item: ItemAnswer }) {
  const { id, modality, media_url, text } = item;
  if (modality === "text") return <span>{text ?? id}</span>;
  const url = media_url === undefined ? undefined : serverUrl + media_url;
  return <LessonMedia example={{ id, name: id, url, collection }} modality={modality} />;
}
