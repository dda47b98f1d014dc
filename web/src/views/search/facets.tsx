import { useEffect, useState } from "preact/hooks";
import type { Modality } from "../../../../src/encoders/encoder.js";
import type { Filter } from "../../../../src/index/filter.js";
import type { CollectionFields } from "../../../../src/wire/collection-fields.js";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import { modalityNames } from "../../media.js";
import { needsKey, returns, server } from "../../server.js";
import { kindsOf } from "./collections.js";
import {
  anyOf,
  boundIn,
  conditionsOf,
  filterOf,
  ofField,
  type Value,
  valuesIn,
  withoutField,
} from "./conditions.js";
import { metadataChanges } from "./feed.js";
import { ask, query } from "./query.js";

type Field = CollectionFields["fields"][number];

/** Up to this many different numbers are shown one by one, more as a range. */
const maxNumbers = 8;
const shownValues = 6;
const openFields = 6;

/** What the items have in common: kinds, and the fields of their metadata with their values. */
export function Facets({ current }: { current: CollectionAnswer }) {
  const { fields, complete } = useFields(current);
  return (
    <>
      <Kinds current={current} />
      {query.value.chosen !== undefined && (
        <p class="sentence">Values of fields are not counted among so many chosen items.</p>
      )}
      {fields.filter(isChoice).map((field, i) => (
        <FieldFacet key={field.field} field={field} isOpen={i < openFields} />
      ))}
      {!complete && (
        <p class="sentence">Counted over the newest 200,000 items and their first 200 fields.</p>
      )}
    </>
  );
}

/** Whether choosing leaves some items and not others: captions, say, differ each. */
function isChoice({ values, distinct, types }: Field): boolean {
  if (values.length === 0) return false;
  return types.number !== undefined || distinct <= shownValues || values[0].count > 1;
}

/** Each field's values among the items that the other filters leave. */
function useFields(current: CollectionAnswer): Pick<CollectionFields, "fields" | "complete"> {
  const { name, count } = current;
  const { filter, modality, chosen: chosenKey } = query.value;
  const changes = metadataChanges.value + returns.value;
  const [answer, setAnswer] = useState<{ of: string } & CollectionFields>();
  useEffect(() => {
    const conditions = conditionsOf(filter);
    if (needsKey.peek() || conditions === undefined || chosenKey !== undefined) return;
    const abort = new AbortController();
    const fetchFields = (left: typeof conditions) =>
      server
        .peek()
        .collectionFields(name, { filter: filterOf(left), modality }, { signal: abort.signal });
    const chosen = new Set(
      conditions.flatMap((one) => valuesIn(one)?.field ?? boundIn(one)?.field ?? []),
    );
    Promise.all([
      fetchFields(conditions),
      ...[...chosen].map(async (field) => {
        const { fields } = await fetchFields(withoutField(conditions, field));
        return fields.find((one) => one.field === field);
      }),
    ]).then(
      ([all, ...chosenFields]) => {
        const found = chosenFields.filter((one) => one !== undefined);
        const others = all.fields.filter(({ field }) => !chosen.has(field));
        // In an order of their own, so that choosing a value moves nothing
        const fields = [...others, ...found].sort((a, b) => a.field.localeCompare(b.field));
        setAnswer({ ...all, of: name, fields });
      },
      () => undefined, // The results say what is wrong
    );
    return () => abort.abort();
  }, [name, count, filter, modality, chosenKey, changes]);
  return answer?.of === name && chosenKey === undefined ? answer : { fields: [], complete: true };
}

function FieldFacet({ field: answer, isOpen }: { field: Field; isOpen: boolean }) {
  const { field, values, types, distinct, has_more_values } = answer;
  const [isLong, setLong] = useState(false);
  const conditions = conditionsOf(query.value.filter) ?? [];
  const ofThisField = ofField(conditions, field);
  const chosen = ofThisField.flatMap((one) => valuesIn(one)?.values ?? []);
  const isRange = types.number !== undefined && (distinct > maxNumbers || has_more_values);
  const choose = (value: Value) => {
    const left = chosen.filter((other) => other !== value);
    const next = left.length < chosen.length ? left : [...chosen, value];
    const others = conditions.filter((one) => valuesIn(one)?.field !== field);
    const isArray = types.array !== undefined;
    ask({
      filter: filterOf(next.length === 0 ? others : [...others, anyOf(field, next, isArray)]),
    });
  };
  const largest = Math.max(1, ...values.map(({ count }) => count));
  const sorted = types.number === undefined ? values : [...values].sort(byValue);
  const shown = isLong ? sorted : sorted.slice(0, shownValues);
  return (
    <details class="facet" open={isOpen || ofThisField.length > 0}>
      <summary>
        <h2>{field}</h2>
      </summary>
      {isRange ? (
        <Range key={JSON.stringify(ofThisField)} field={answer} />
      ) : (
        <ul>
          {shown.map(({ value, count }) => (
            <Choice
              key={JSON.stringify(value)}
              name={value === "" ? "(empty)" : String(value)}
              count={count}
              share={count / largest}
              isChosen={chosen.includes(value)}
              onClick={() => choose(value)}
            />
          ))}
        </ul>
      )}
      {!isRange && values.length > shownValues && (
        <button type="button" class="plain quiet" onClick={() => setLong(!isLong)}>
          {isLong ? "Fewer" : `${values.length - shownValues} more`}
        </button>
      )}
      {isLong && distinct > values.length && (
        <p class="sentence">
          {has_more_values ? "more than " : ""}
          {distinct.toLocaleString()} different values; these are the most frequent
        </p>
      )}
    </details>
  );
}

const byValue = (a: { value: Value }, b: { value: Value }) => Number(a.value) - Number(b.value);

/** From the one number to the other; an empty box sets no bound. */
function Range({ field: { field, min, max } }: { field: Field }) {
  const conditions = conditionsOf(query.value.filter) ?? [];
  const bounds = ofField(conditions, field).flatMap((one) => boundIn(one) ?? []);
  const boundOf = (op: "gte" | "lte") => bounds.find((bound) => bound.op === op)?.value;
  const bind = (op: "gte" | "lte", text: string) => {
    const isKept = (one: Filter) => boundIn(one)?.field !== field || boundIn(one)?.op !== op;
    const value = Number(text);
    const added = text === "" || Number.isNaN(value) ? [] : [{ field, op, value }];
    ask({ filter: filterOf([...conditions.filter(isKept), ...added]) });
  };
  const box = (op: "gte" | "lte", label: string, end: number | undefined) => (
    <input
      type="number"
      step="any"
      aria-label={`${field} ${label}`}
      placeholder={end === undefined ? "" : String(Number(end.toPrecision(6)))}
      value={boundOf(op)}
      onChange={({ currentTarget }) => bind(op, currentTarget.value)}
    />
  );
  return (
    <div class="range">
      {box("gte", "from", min)}
      <span class="quiet">to</span>
      {box("lte", "up to", max)}
    </div>
  );
}

/** How many of each kind; a click leaves only those. */
function Kinds({ current }: { current: CollectionAnswer }) {
  const largest = Math.max(1, ...Object.values(current.count_by_modality));
  const { modality: chosen } = query.value;
  const onlyOne = (modality: Modality) =>
    ask({ modality: modality === chosen ? undefined : modality });
  return (
    <section class="facet" aria-label="Kind">
      <h2>Kind</h2>
      <ul>
        {kindsOf(current).map((modality) => {
          const count = current.count_by_modality[modality] ?? 0;
          return (
            <Choice
              key={modality}
              modality={modality}
              name={modalityNames[modality]}
              count={count}
              share={count / largest}
              isChosen={modality === chosen}
              onClick={() => onlyOne(modality)}
            />
          );
        })}
      </ul>
    </section>
  );
}

function Choice({
  modality,
  name,
  count,
  share,
  isChosen,
  onClick,
}: {
  modality?: Modality;
  name: string;
  count: number;
  share: number;
  isChosen: boolean;
  onClick: () => void;
}) {
  return (
    <li>
      <button type="button" class="plain" aria-pressed={isChosen} onClick={onClick} title={name}>
        {modality !== undefined && <i class={`square ${modality}`} aria-hidden="true" />}
        <span class="name">{name}</span>
        <span class={`bar ${modality ?? ""}`} aria-hidden="true">
          <i style={{ width: `${100 * share}%` }} />
        </span>
        <span class="count">{count.toLocaleString()}</span>
      </button>
    </li>
  );
}
