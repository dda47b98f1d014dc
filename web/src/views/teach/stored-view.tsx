import { useEffect } from "preact/hooks";
import type { CollectionFields } from "../../../../src/wire/collection-fields.js";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import type { HeadAnswer } from "../../../../src/wire/heads.js";
import { Notice } from "../../components/notice.js";
import { useCollectionFields } from "../../components/use-collection-fields.js";
import { modalityNames } from "../../media.js";
import { navigate, route } from "../../router.js";
import { returns } from "../../server.js";
import { status } from "../../status.js";
import {
  collectionNamed,
  collections,
  kindsOf,
  refreshCollections,
} from "../search/collections.js";
import { LabelNext } from "./label-next.js";
import { PairsLesson } from "./pairs-lesson.js";
import {
  labelled,
  labelsOf,
  readLesson,
  type StoredLesson,
  stopReading,
  stored,
  storedLesson,
} from "./stored-lesson.js";
import { SuspectsList } from "./suspects-list.js";
import { TeachForm } from "./teach-form.js";

/** Labels that a collection already has: checked, taught, and requested where they help. */
export function StoredView({
  heads,
  onTaught,
}: {
  heads: readonly HeadAnswer[];
  onTaught: () => void;
}) {
  useEffect(() => void refreshCollections(), [returns.value]);
  useEffect(() => stopReading, []);
  const { path, params } = route.value;
  const usable = collections.value.list.filter((one) => unusable(one) === undefined);
  const [name = usable[0]?.name] = path;
  const current = collectionNamed(name);
  const kinds = current === undefined ? [] : taughtKindsOf(current);
  const modality = kinds.find((kind) => kind === params.get("kind")) ?? kinds[0];
  const model = status.value.models.find(({ space }) => space === current?.space);
  const field = params.get("by") ?? undefined;
  const read = () => {
    if (current === undefined || field === undefined || model === undefined || !modality) return;
    void readLesson(current, { field, model, modality });
  };
  useEffect(read, [current?.name, field, model?.id, modality]);
  useEffect(() => {
    if (stored.peek().state === "failed") read();
  }, [returns.value]);
  const go = (name: string, by?: string, kind?: string) =>
    navigate("teach", [name], { params: { by, kind } });
  if (collections.value.state === "ready" && current === undefined && name !== undefined)
    return (
      <Notice
        title={`There is no collection ${name}`}
        action={["To the others", () => navigate("teach", [], { params: { stored: "yes" } })]}
      >
        It was deleted, perhaps in another window, or the address belongs to another server.
      </Notice>
    );
  if (collections.value.state === "ready" && current === undefined)
    return (
      <Notice
        title="No collection to teach from"
        action={["To Search", () => navigate("search", [])]}
      >
        Fill one in Search with pictures or sounds whose metadata say what they are.
      </Notice>
    );
  if (current === undefined) return null;
  const why = unusable(current);
  return (
    <>
      <div class="classes">
        <div class="row">
          <label class="row">
            <span class="quiet">Collection</span>
            <select value={current.name} onChange={({ currentTarget }) => go(currentTarget.value)}>
              {collections.value.list.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          {why === undefined && (
            <FieldChoice
              collection={current}
              chosen={field}
              onChange={(by) => go(current.name, by, params.get("kind") ?? undefined)}
            />
          )}
          {kinds.length > 1 && (
            <select
              aria-label="Kind"
              value={modality}
              onChange={({ currentTarget }) => go(current.name, field, currentTarget.value)}
            >
              {kinds.map((kind) => (
                <option key={kind} value={kind}>
                  {modalityNames[kind]}s
                </option>
              ))}
            </select>
          )}
        </div>
        {why !== undefined && <Notice title={`Nothing to teach in ${current.name}`}>{why}</Notice>}
        {why === undefined && <Read field={field} />}
        {why === undefined && field !== undefined && model !== undefined && (
          <PairsLesson
            key={`${current.name} ${field}`}
            collection={current}
            field={field}
            model={model.id}
            onTaught={onTaught}
          />
        )}
      </div>
      <div class="lesson">
        <TeachForm
          lesson={storedLesson.value}
          obstacle={obstacle(why, field)}
          heads={heads}
          onTaught={onTaught}
        />
      </div>
    </>
  );
}

function Read({ field }: { field: string | undefined }) {
  const current = stored.value;
  if (field === undefined)
    return <p class="sentence">Choose the metadata field that holds the labels.</p>;
  if (current.state === "none") return null;
  if (current.state === "loading")
    return (
      <p class="sentence" role="status">
        Reading… {current.count.toLocaleString()} items
      </p>
    );
  if (current.state === "failed")
    return (
      <Notice kind="bad" title="This cannot be read">
        {current.sentence}
      </Notice>
    );
  return (
    <>
      <Labels lesson={current.lesson} />
      {labelsOf(labelled.value).length > 1 && <SuspectsList lesson={current.lesson} />}
      <LabelNext lesson={current.lesson} />
    </>
  );
}

const shownLabels = 30;

function Labels({ lesson: { hasMore } }: { lesson: StoredLesson }) {
  const items = labelled.value;
  const labels = labelsOf(items);
  const countOf = (label: string) => items.filter((item) => item.label === label).length;
  return (
    <p class="sentence">
      {hasMore ? "The first " : ""}
      {items.length.toLocaleString()} labelled items:{" "}
      {labels
        .slice(0, shownLabels)
        .map((label) => `${label} ${countOf(label)}`)
        .join(", ")}
      {labels.length > shownLabels && `, and ${labels.length - shownLabels} more`}
    </p>
  );
}

function FieldChoice({
  collection,
  chosen,
  onChange,
}: {
  collection: CollectionAnswer;
  chosen: string | undefined;
  onChange: (field: string) => void;
}) {
  const fields = useCollectionFields(collection.name, { values: 3 }).filter(isLabelField);
  return (
    <label class="row">
      <span class="quiet">Field of the labels</span>
      <select value={chosen ?? ""} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {chosen === undefined && (
          <option value="">{fields.length === 0 ? "none names labels" : "choose…"}</option>
        )}
        {fields.map(({ field, values }) => (
          <option key={field} value={field}>
            {field}: {values.map(({ value }) => String(value)).join(", ")}…
          </option>
        ))}
      </select>
    </label>
  );
}

/** Values that repeat, and are not lists. */
const isLabelField = ({ types, distinct, count }: CollectionFields["fields"][number]) =>
  types.array === undefined && distinct > 1 && distinct <= Math.max(2, count / 2);

const taughtKindsOf = (collection: CollectionAnswer) =>
  kindsOf(collection).filter((kind) => kind !== "text");

/** Why nothing can be taught from it; undefined when it can. */
function unusable(collection: CollectionAnswer): string | undefined {
  if (collection.model_loaded !== true)
    return "The model that its items were made with is not loaded.";
  if (collection.head !== null)
    return "Its items were projected by a head; choose one with the model's own embeddings.";
  if (taughtKindsOf(collection).length === 0) return "It holds neither pictures nor sounds.";
  return undefined;
}

function obstacle(why: string | undefined, field: string | undefined): string | undefined {
  if (why !== undefined) return why;
  if (field === undefined) return "Choose a collection and the field that names its labels.";
  if (stored.value.state !== "ready") return "Reading the items…";
  const labels = new Set(storedLesson.value?.examples.map(({ label }) => label));
  return labels.size < 2 ? "At least two labels need items." : undefined;
}
