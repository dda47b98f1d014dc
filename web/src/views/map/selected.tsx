import { useState } from "preact/hooks";
import { Preview } from "../../components/preview.js";
import { toast } from "../../components/toasts.js";
import { fileNameOf } from "../../media.js";
import { linkTo } from "../../router.js";
import { sentenceOf, server } from "../../server.js";
import { showInSearch } from "../search/chosen.js";
import { type MapData, modalityAt } from "./map-data.js";

const maxShown = 60;
const neighbours = 24;

interface Props {
  data: MapData;
  selected: readonly number[];
  onSelect: (points: readonly number[]) => void;
}

/** The items of the points that were taken, as a grid; of a single one also its neighbours. */
export function Selected({ data, selected, onSelect }: Props) {
  const [isAsking, setAsking] = useState(false);
  const [near, setNear] = useState<{ id: string; points: readonly number[] }>();
  const shown = selected.slice(0, maxShown);
  const [only] = selected;
  const showNeighbours = async () => {
    setAsking(true);
    try {
      const query = { item_id: data.ids[only], top_k: neighbours };
      const { results } = await server.peek().search(data.collection, query);
      const place = new Map(data.ids.map((id, i) => [id, i]));
      const found = results.map(({ id }) => place.get(id)).filter((i) => i !== undefined);
      const points = [only, ...found];
      setNear({ id: data.ids[only], points });
      onSelect(points);
    } catch (error) {
      toast(sentenceOf(error));
    } finally {
      setAsking(false);
    }
  };
  const showAll = () => {
    try {
      showInSearch(
        data.collection,
        selected.map((point) => data.ids[point]),
      );
    } catch {
      toast("These are more than the browser keeps for a page: encircle fewer");
    }
  };
  return (
    <section class="map-selected" aria-label="Selected items">
      <p class="row">
        <strong role="status">
          {selected.length === 0
            ? "Nothing selected"
            : selected.length === 1
              ? data.ids[only]
              : near?.points === selected
                ? `${near.id} and its nearest ${selected.length - 1}`
                : `${selected.length.toLocaleString()} selected`}
        </strong>
        {selected.length > shown.length && (
          <span class="quiet">the first {maxShown} are shown</span>
        )}
      </p>
      {selected.length === 0 && (
        <p class="sentence">
          Click a point, or encircle some. Points are close together where the model finds the items
          alike{data.method === "pca" && ", as far as two directions can show it"}.
        </p>
      )}
      {selected.length > 1 && (
        <p class="row">
          <button type="button" onClick={showAll}>
            Show these in Search
          </button>
        </p>
      )}
      {selected.length === 1 && (
        <p class="row">
          <button type="button" disabled={isAsking} onClick={showNeighbours}>
            Its neighbours
          </button>
          <a href={linkTo("search", [data.collection], { like: data.ids[only] })}>
            Similar in Search
          </a>
        </p>
      )}
      <ul>
        {shown.map((point) => {
          const [id, modality] = [data.ids[point], modalityAt(data, point)];
          return (
            <li key={id}>
              <button type="button" class="item" onClick={() => onSelect([point])}>
                <Preview collection={data.collection} item={{ id, modality }} />
                <span class="caption">
                  <i class={`square ${modality}`} aria-hidden="true" />
                  <span class="name" title={id}>
                    {fileNameOf(id)}
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
