import { useEffect, useState } from "preact/hooks";
import type { CollectionFields } from "../../../../src/wire/collection-fields.js";
import { Notice } from "../../components/notice.js";
import { linkTo, navigate, route } from "../../router.js";
import { server } from "../../server.js";
import { collections, refreshCollections } from "../search/collections.js";
import { clearHighlight, highlight, highlighted, type Value } from "./highlight.js";
import { LayOut, LayOutAgain, umapMeaning } from "./lay-out.js";
import "./map.css";
import { MapCanvas } from "./map-canvas.js";
import { followMap, loadMap, type MapData, mapNames, mapState } from "./map-data.js";
import { Selected } from "./selected.js";

/** A collection in the plane: what lies near what, and where the modalities lie. */
export default function MapView() {
  const { list, state } = collections.value;
  const name = route.value.path[0] ?? list.find(({ count }) => count > 0)?.name;
  useEffect(() => void refreshCollections(), []);
  const method = route.value.params.get("by") === "umap" ? "umap" : "pca";
  useEffect(() => (name === undefined ? undefined : followMap(name, method)), [name, method]);
  if (state === "ready" && list.length === 0)
    return (
      <main>
        <h1 class="only-read-aloud">Map</h1>
        <Notice title="No collections yet" action={["To Search", () => navigate("search", [])]}>
          Fill a collection in Search; here you then see what lies near what.
        </Notice>
      </main>
    );
  const current = mapState.value;
  return (
    <main class="wide map-view">
      <h1 class="only-read-aloud">Map</h1>
      <div class="row map-head">
        <select
          aria-label="Collection"
          value={name}
          onChange={({ currentTarget }) => navigate("map", [currentTarget.value])}
        >
          {list.map((one) => (
            <option key={one.name} value={one.name}>
              {one.name}
            </option>
          ))}
        </select>
        <select
          aria-label="Laid out by"
          value={method}
          onChange={({ currentTarget }) =>
            name !== undefined &&
            navigate("map", [name], { params: { by: currentTarget.value.replace("pca", "") } })
          }
        >
          <option value="pca">by principal components</option>
          <option value="umap">by UMAP</option>
        </select>
        {current.state === "ready" && <Facts data={current.data} />}
        {name !== undefined && (
          <a class="right" href={linkTo("search", [name])}>
            Look through it in Search
          </a>
        )}
      </div>
      {current.state === "loading" && (
        <p class="quiet map-waiting" role="status">
          Laying the items out…
        </p>
      )}
      {current.state === "not laid out" && name !== undefined && <LayOut collection={name} />}
      {current.state === "failed" && (
        <Notice
          kind="bad"
          title="There is no map of this collection"
          action={["Try again", () => name !== undefined && void loadMap(name, method)]}
        >
          {current.sentence}
        </Notice>
      )}
      {current.state === "ready" && <LoadedMap key={current.data.map} data={current.data} />}
    </main>
  );
}

function Facts({ data }: { data: MapData }) {
  const { count, total, explained } = data;
  const shown = count < total ? `${count.toLocaleString()} of ` : "";
  const share = Math.round(100 * (explained ?? []).reduce((sum, part) => sum + part, 0));
  return (
    <span class="quiet">
      {shown}
      {total.toLocaleString()} items
      {explained !== null && ` · the two directions of largest variance show ${share} % of it`}
    </span>
  );
}

function LoadedMap({ data }: { data: MapData }) {
  const [selected, setSelected] = useState<readonly number[]>([]);
  useEffect(() => clearHighlight, [data]);
  useEffect(() => {
    const wanted = route.peek().params.get("item");
    const at = wanted === null ? -1 : data.ids.indexOf(wanted);
    if (at >= 0) setSelected([at]);
  }, [data]);
  if (data.count === 0)
    return (
      <Notice
        title={`${data.collection} is empty`}
        action={["Add items in Search", () => navigate("search", [data.collection])]}
      >
        A map needs items.
      </Notice>
    );
  return (
    <>
      {data.method === "umap" && <p class="sentence">{umapMeaning}</p>}
      {data.stale && <LayOutAgain collection={data.collection} />}
      <Highlights data={data} />
      <div class="map-columns">
        <MapCanvas
          data={data}
          names={mapNames.value}
          weights={highlighted.value.weights}
          selected={selected}
          onSelect={setSelected}
        />
        <Selected data={data} selected={selected} onSelect={setSelected} />
      </div>
    </>
  );
}

/** What makes points stand out: a text, or a value of the items' metadata. */
function Highlights({ data }: { data: MapData }) {
  const [text, setText] = useState("");
  const [fields, setFields] = useState<CollectionFields["fields"]>([]);
  useEffect(() => {
    const abort = new AbortController();
    server
      .peek()
      .collectionFields(data.collection, {}, { signal: abort.signal })
      .then(
        (answer) => setFields(answer.fields.filter(({ values }) => values.length > 0)),
        () => undefined, // then there are none to choose from
      );
    return () => abort.abort();
  }, [data.collection]);
  const onValue = (chosen: string) => {
    if (chosen === "") return clearHighlight();
    const [field, value] = JSON.parse(chosen) as [string, Value];
    void highlight(data, { kind: "value", field, value });
  };
  return (
    <form
      class="row map-highlights"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() === "") clearHighlight();
        else void highlight(data, { kind: "text", text: text.trim() });
      }}
    >
      <input
        type="search"
        aria-label="Near to a text"
        placeholder="Near to a text"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <button type="submit">Show</button>
      {fields.length > 0 && (
        <select
          aria-label="With a value"
          onChange={({ currentTarget }) => onValue(currentTarget.value)}
        >
          <option value="">all values</option>
          {fields.map(({ field, values }) => (
            <optgroup key={field} label={field}>
              {values.map(({ value, count }) => (
                <option key={String(value)} value={JSON.stringify([field, value])}>
                  {String(value)} ({count})
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      )}
      <span class="sentence" role="status">
        {highlighted.value.sentence}
      </span>
    </form>
  );
}
