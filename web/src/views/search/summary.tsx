import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import { cut, feed } from "./feed.js";
import { pathInFull, pathInWords } from "./path-words.js";
import { ask, type Layout, type Order, orders, query } from "./query.js";

const mixing =
  "Texts, pictures and sounds each lie in a region of their own; this moves them together, " +
  "so that the list mixes them";

/** The number of results, the path of the query, and the layout. */
export function Summary({ collection }: { collection: CollectionAnswer }) {
  const { found, items, cursor, state } = feed.value;
  const { centering, order } = query.value;
  const isMixed = Object.keys(collection.count_by_modality).length > 1;
  const isAsked = found !== undefined;
  return (
    <div class="row summary">
      <p class="quiet" role="status" title={found && pathInFull(found)}>
        {state === "loading"
          ? "Searching…"
          : state !== "ready"
            ? ""
            : isAsked
              ? `${countText(items.length, cursor, collection.count)} · ${pathInWords(found)}`
              : `${listedText(items.length, cursor, collection.count)}, ${orders[order]}`}
        {found?.warnings?.map((warning) => (
          <span key={warning}> · {warning}</span>
        ))}
      </p>
      <span class="right row">
        {isAsked && (isMixed || centering) && (
          <label class="check" title={mixing}>
            <input
              type="checkbox"
              checked={centering}
              onChange={({ currentTarget }) => ask({ centering: currentTarget.checked })}
            />
            mix the kinds
          </label>
        )}
        {!isAsked && (
          <select
            aria-label="Order"
            value={order}
            onChange={({ currentTarget }) => ask({ order: currentTarget.value as Order })}
          >
            {Object.entries(orders).map(([id, words]) => (
              <option key={id} value={id}>
                {words}
              </option>
            ))}
          </select>
        )}
        <select
          aria-label="Shown as"
          value={layoutOf(collection)}
          onChange={({ currentTarget }) => ask({ layout: currentTarget.value as Layout })}
        >
          <option value="grid">Grid</option>
          <option value="list">List</option>
          <option value="cards">Cards</option>
        </select>
      </span>
    </div>
  );
}

const counted = (count: number) => `${count.toLocaleString()} ${count === 1 ? "item" : "items"}`;

function listedText(shown: number, cursor: string | undefined, all: number): string {
  const { filter, modality, chosen } = query.value;
  if (filter === undefined && modality === undefined && chosen === undefined) return counted(all);
  const more = cursor === undefined ? "" : "+";
  return `${shown.toLocaleString()}${more} of ${counted(all)} match the filters`;
}

function countText(shown: number, cursor: string | undefined, all: number): string {
  const relevant = cut.value;
  if (relevant !== undefined)
    return (
      `${relevant.toLocaleString()} of ${counted(all)} ` +
      `${relevant === 1 ? "is" : "are"} clearly about this`
    );
  if (cursor === undefined && shown === all) return `all ${counted(all)}, best first`;
  const more = cursor === undefined ? "" : "+";
  return `${shown.toLocaleString()}${more} of ${counted(all)}, best first`;
}

/** Pictures as a grid, sounds as a list, texts as cards, by the most frequent kind. */
export function layoutOf({ count_by_modality: counts }: CollectionAnswer): Layout {
  const { layout, modality } = query.value;
  if (layout !== undefined) return layout;
  const [most] = Object.entries(counts).sort(([, a], [, b]) => b - a)[0] ?? ["image"];
  return { image: "grid", audio: "list", text: "cards" }[modality ?? most] as Layout;
}
