import { useEffect, useMemo, useState } from "preact/hooks";
import { Notice } from "../../components/notice.js";
import { toast } from "../../components/toasts.js";
import { linkTo, navigate, route } from "../../router.js";
import { returns } from "../../server.js";
import { collections, refreshCollections } from "../search/collections.js";
import { byModality, colourBy, colouring } from "./colouring.js";
import { showsGap } from "./draw-map.js";
import { clearHighlight, highlighted, highlightText } from "./highlight.js";
import { LayOut, LayOutAgain, umapMeaning } from "./lay-out.js";
import { Legend } from "./legend.js";
import "./map.css";
import { MapCanvas } from "./map-canvas.js";
import { changeAddress, MapControls } from "./map-controls.js";
import {
  followMap,
  loadMap,
  type MapData,
  mapNames,
  mapState,
  namingProgress,
} from "./map-data.js";
import { Selected } from "./selected.js";

/** A collection in the plane: what lies near what, and where the modalities lie. */
export default function MapView() {
  const { list, state } = collections.value;
  const name = route.value.path[0] ?? list.find(({ count }) => count > 0)?.name;
  useEffect(() => void refreshCollections(), [returns.value]);
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
            changeAddress({ by: currentTarget.value.replace("pca", ""), at: undefined })
          }
        >
          <option value="pca">by principal components</option>
          <option value="umap">by UMAP</option>
        </select>
        {current.state === "ready" && <Facts data={current.data} />}
        {name !== undefined && (
          <a class="right" href={linkTo("search", [name])}>
            Open in Search
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
  const naming = namingProgress.value;
  const shown = count < total ? `${count.toLocaleString()} of ` : "";
  const share = Math.round(100 * (explained ?? []).reduce((sum, part) => sum + part, 0));
  return (
    <span class="quiet">
      {shown}
      {total.toLocaleString()} items
      {explained !== null && ` · two directions show ${share} % of how they differ`}
      {naming !== undefined && ` · finding names for the regions, ${Math.round(100 * naming)} %`}
    </span>
  );
}

function LoadedMap({ data }: { data: MapData }) {
  const [selected, setSelected] = useState<readonly number[]>([]);
  const { params } = route.value;
  const near = params.get("near");
  const field = params.get("colour") || undefined;
  const item = params.get("item");
  const tries = returns.value;
  useEffect(() => clearHighlight, [data]);
  useEffect(() => void colourBy(data, field), [data, field]);
  useEffect(() => {
    if (near) void highlightText(data, near);
    else if (highlighted.peek().group === undefined) clearHighlight();
  }, [data, near]);
  useEffect(() => {
    if (colouring.peek()?.sentence !== undefined) void colourBy(data, field);
    if (near && highlighted.peek().weights === undefined) void highlightText(data, near);
  }, [tries]);
  useEffect(() => {
    if (item === null) return;
    const at = data.ids.indexOf(item);
    if (at >= 0) setSelected((before) => (before.includes(at) ? before : [at]));
    else toast(`${item} is not on this map: deleted, or newer than it`);
  }, [data, item]);
  const select = (points: readonly number[]) => {
    setSelected(points);
    changeAddress({ item: points.length === 1 ? data.ids[points[0]] : undefined });
  };
  const plain = useMemo(() => byModality(data), [data]);
  if (data.count === 0)
    return (
      <Notice
        title={`${data.collection} is empty`}
        action={["Add items in Search", () => navigate("search", [data.collection])]}
      >
        A map needs items.
      </Notice>
    );
  const colours = colouring.value?.map === data.map ? colouring.value : plain;
  return (
    <>
      {data.method === "umap" && <p class="sentence">{umapMeaning}</p>}
      {data.stale && <LayOutAgain collection={data.collection} />}
      <MapControls data={data} />
      <div class="map-columns">
        <MapCanvas
          data={data}
          colouring={colours}
          names={mapNames.value}
          weights={highlighted.value.weights}
          selected={selected}
          onSelect={select}
        />
        <div class="map-side">
          <Legend colouring={colours} />
          {(showsGap(data, colours) || mapNames.value.length > 0) && (
            <p class="sentence">
              {showsGap(data, colours) &&
                "The large points are the means of the kinds, the line between two is their gap. "}
              {mapNames.value.length > 0 &&
                "The words name regions, each the nearest of a list of everyday words."}
            </p>
          )}
          <Selected data={data} selected={selected} onSelect={select} />
        </div>
      </div>
    </>
  );
}
