import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import { Needs } from "../../components/needs.js";
import { TagButton } from "./details.js";
import { cut, feed } from "./feed.js";
import { Originals } from "./originals.js";
import { deleteItems, exportItems, markAll, marked, markedItems } from "./selection.js";

/** What can be done with the items that were selected. */
export function Marked({ collection }: { collection: CollectionAnswer }) {
  const items = markedItems.value;
  const ids = feed.value.items.map(({ id }) => id);
  const loaded = feed.value.cursor === undefined ? "" : "loaded ";
  const cutoff = cut.value;
  return (
    <div class="row marked-bar" role="toolbar" aria-label="Selected items">
      <strong>{items.length} selected</strong>
      <TagButton collection={collection.name} items={items} />
      <button type="button" onClick={() => exportItems(collection.name, items)}>
        Save as CSV
      </button>
      <Originals collection={collection.name} items={items} />
      <Needs scope="write">
        <button type="button" onClick={() => deleteItems(collection.name, items)}>
          Delete
        </button>
      </Needs>
      <span class="row right">
        {cutoff !== undefined && cutoff > 0 && (
          <button type="button" class="plain" onClick={() => markAll(ids.slice(0, cutoff))}>
            Select {cutoff.toLocaleString()} above the line
          </button>
        )}
        {items.length < ids.length && (
          <button type="button" class="plain" onClick={() => markAll(ids)}>
            Select all {loaded}
            {ids.length.toLocaleString()}
          </button>
        )}
        <button
          type="button"
          class="plain"
          onClick={() => {
            marked.value = new Set();
          }}
        >
          Select none
        </button>
      </span>
    </div>
  );
}
