import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Preview } from "../../components/preview.js";
import { useVirtualRows } from "../../components/use-virtual-rows.js";
import { useKeys } from "../../keys.js";
import { feed, loadMore, type Shown } from "./feed.js";
import { ask, type Layout } from "./query.js";
import { focused, focusedId, marked, toggleMark } from "./selection.js";

const gap = 12;
/** The least width of a tile and the height of a row, in pixels. */
const sizes: Record<Layout, { width: number; height: number }> = {
  grid: { width: 168, height: 186 },
  list: { width: Number.POSITIVE_INFINITY, height: 56 },
  cards: { width: 260, height: 148 },
};

/** The results of a search, or everything: as many as there are, of which those in sight exist. */
export function Results({ collection, layout }: { collection: string; layout: Layout }) {
  const { items } = feed.value;
  const list = useRef<HTMLDivElement>(null);
  const { width, top } = usePlace(list);
  const { width: tileWidth, height } = sizes[layout];
  const columns = Math.max(1, Math.floor((width + gap) / (tileWidth + gap)));
  const count = Math.ceil(items.length / columns);
  const { rows, totalHeight, scrollToRow } = useVirtualRows({ count, rowHeight: height, top });
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= count - 6) void loadMore();
  }, [last, count]);

  const move = (by: number) => {
    const at = items.findIndex(({ id }) => id === focusedId.value);
    const to = at < 0 ? 0 : Math.max(0, Math.min(items.length - 1, at + by));
    if (items[to] === undefined) return false;
    focusedId.value = items[to].id;
    scrollToRow(Math.floor(to / columns));
    return true;
  };
  const withFocused = (act: (item: Shown) => void) => () => {
    if (focused.value === undefined) return false;
    act(focused.value);
    return true;
  };
  useKeys({
    ArrowRight: () => move(1),
    ArrowLeft: () => move(-1),
    ArrowDown: () => move(columns),
    ArrowUp: () => move(-columns),
    x: withFocused(({ id }) => toggleMark(id)),
    s: withFocused(({ id }) => ask({ itemId: id, text: "" })),
    Escape: () => {
      focusedId.value = undefined;
      return true;
    },
  });
  return (
    <div ref={list} class={`results ${layout}`} style={{ height: `${totalHeight}px` }}>
      <ul aria-label="Items">
        {rows.flatMap(({ index, start }) =>
          items.slice(index * columns, (index + 1) * columns).map((item, column) => (
            <li
              key={item.id}
              style={{
                transform: `translate(${(column * (width + gap)) / columns}px, ${start - top}px)`,
                width: `${(width + gap) / columns - gap}px`,
                height: `${height - gap}px`,
              }}
            >
              <Tile collection={collection} item={item} />
            </li>
          )),
        )}
      </ul>
    </div>
  );
}

function Tile({ collection, item }: { collection: string; item: Shown }) {
  const { id, modality, similarity } = item;
  const isMarked = marked.value.has(id);
  return (
    <div class={`tile-frame ${isMarked ? "marked" : ""}`}>
      <button
        type="button"
        class="item"
        aria-pressed={focusedId.value === id}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) toggleMark(id);
          else focusedId.value = id;
        }}
        onDblClick={() => ask({ itemId: id, text: "" })}
      >
        <Preview collection={collection} item={item} />
        <span class="caption">
          <i class={`square ${modality}`} aria-hidden="true" />
          <span class="name" title={id}>
            {id.slice(id.lastIndexOf("/") + 1)}
          </span>
          {similarity !== undefined && <span class="cosine">{similarity.toFixed(3)}</span>}
        </span>
      </button>
      <input
        type="checkbox"
        class="mark-box"
        checked={isMarked}
        aria-label={`Select ${id}`}
        onChange={() => toggleMark(id)}
      />
    </div>
  );
}

/** Width of an element and its distance from the top of the page. */
function usePlace(ref: { current: HTMLElement | null }): { width: number; top: number } {
  const [place, setPlace] = useState({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const measure = () => {
      const { width, top } = ref.current!.getBoundingClientRect();
      setPlace((before) => {
        const after = { width, top: Math.round(top + scrollY) };
        return before.width === width && before.top === after.top ? before : after;
      });
    };
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(ref.current!);
    resized.observe(document.body);
    return () => resized.disconnect();
  }, [ref]);
  return place;
}
