import { useEffect, useState } from "preact/hooks";
import type { CollectionFields } from "../../../../src/wire/collection-fields.js";
import { navigate, route } from "../../router.js";
import { returns, server } from "../../server.js";
import { clearHighlight, highlighted } from "./highlight.js";
import type { MapData } from "./map-data.js";

type Field = CollectionFields["fields"][number];

/** Changes the address and leaves the rest of it; no step to go back to. */
export function changeAddress(change: Record<string, string | undefined>): void {
  const { path, params } = route.peek();
  navigate("map", path, { params: { ...Object.fromEntries(params), ...change }, replace: true });
}

/** What makes points stand out, and what colours them. Both are in the address. */
export function MapControls({ data }: { data: MapData }) {
  const near = route.value.params.get("near") ?? "";
  const field = route.value.params.get("colour") ?? "";
  const [text, setText] = useState(near);
  useEffect(() => setText(near), [near]);
  const fields = useFields(data.collection);
  const show = (wanted: string) => {
    if (wanted === "") clearHighlight();
    changeAddress({ near: wanted });
  };
  return (
    <form
      class="row map-highlights"
      onSubmit={(event) => {
        event.preventDefault();
        show(text.trim());
      }}
    >
      <input
        type="search"
        aria-label="Near to a text"
        placeholder="Near to a text"
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          if (currentTarget.value === "") show("");
        }}
      />
      <button type="submit">Show</button>
      <label class="row">
        Colour by
        <select
          value={field}
          onChange={({ currentTarget }) => {
            if (highlighted.peek().group !== undefined) clearHighlight();
            changeAddress({ colour: currentTarget.value });
          }}
        >
          <option value="">kind</option>
          {field !== "" && !fields.some((one) => one.field === field) && (
            <option value={field}>{field}</option>
          )}
          {fields.map((one) => (
            <option key={one.field} value={one.field}>
              {one.field}
            </option>
          ))}
        </select>
      </label>
      <span class="sentence" role="status">
        {highlighted.value.sentence}
      </span>
    </form>
  );
}

/** Those whose values tell items apart; none where they cannot be read. */
function useFields(collection: string): readonly Field[] {
  const [fields, setFields] = useState<readonly Field[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    server
      .peek()
      .collectionFields(collection, { values: 1 }, { signal: abort.signal })
      .then(
        ({ fields, items }) => setFields(fields.filter((field) => tellsApart(field, items))),
        () => undefined,
      );
    return () => abort.abort();
  }, [collection, returns.value]);
  return fields;
}

/** Captions and paths, say, differ from item to item. */
function tellsApart({ count, distinct, types, values }: Field, items: number): boolean {
  if (distinct === 0) return false;
  if (types.number === count) return distinct > 1 || count < items;
  const hasGroups = values.length > 0 && values[0].count > 1 && distinct <= count / 2;
  return hasGroups ? distinct > 1 || count < items : count < items;
}
