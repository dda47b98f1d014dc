import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Preview } from "../../components/preview.js";
import { useVirtualRows } from "../../components/use-virtual-rows.js";
import { useKeys } from "../../keys.js";
import { fileNameOf } from "../../media.js";
import { cut, feed, loadMore, type Shown } from "./feed.js";
import { playOrPause } from "./player.js";
import { ask, type Layout } from "./query.js";
import { type Direction, layRows } from "./rows.js";
import { focused, focusedId, marked, markTo, toggleMark } from "./selection.js";
import { PlayButton } from "./sound-player.js";
import { openViewer } from "./viewer.js";

const gap = 12;
/** The least width of a tile and the height of a row, in pixels. */
const sizes: Record<Layout, { width: number; height: number }> = {
  grid: { width: 168, height: 186 },
  list: { width: Number.POSITIVE_INFINITY, height: 56 },
  cards: { width: 260, height: 148 },
};
const cutHeight = 44;

/**
 * The results of a search, or everything: any number, of which only the visible ones are rendered.
 */
export function Results({ collection, layout }: { collection: string; layout: Layout }) {
  const { items } = feed.value;
  const list = useRef<HTMLDivElement>(null);
  const { width, top } = usePlace(list);
  const { width: tileWidth, height } = sizes[layout];
  const fitting = Math.floor((width + gap) / (tileWidth + gap));
  const columns = Math.max(layout === "grid" ? 2 : 1, fitting);
  const laid = layRows(items.length, columns, cut.value);
  const { count, cutRow } = laid;
  const odd = cutRow === undefined ? undefined : { row: cutRow, height: cutHeight };
  const { rows, totalHeight, scrollToRow } = useVirtualRows({ count, rowHeight: height, top, odd });
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= count - 6) void loadMore();
  }, [last, count]);

  const move = (direction: Direction) => () => {
    const at = items.findIndex(({ id }) => id === focusedId.value);
    const to = at < 0 ? 0 : laid.step(at, direction);
    if (items[to] === undefined) return false;
    focusedId.value = items[to].id;
    scrollToRow(laid.rowOf(to));
    return true;
  };
  const withFocused = (act: (item: Shown) => void) => () => {
    if (focused.value === undefined) return false;
    act(focused.value);
    return true;
  };
  useKeys({
    ArrowRight: move("right"),
    ArrowLeft: move("left"),
    ArrowDown: move("down"),
    ArrowUp: move("up"),
    " ": withFocused((item) => {
      if (item.media_url === undefined) return;
      if (item.modality === "audio") playOrPause(collection, item);
      else openViewer();
    }),
    x: withFocused(({ id }) => toggleMark(id)),
    s: withFocused(({ id }) => ask({ itemId: id, text: "" })),
    Escape: () => {
      if (focusedId.value === undefined) marked.value = new Set();
      focusedId.value = undefined;
      return true;
    },
  });
  return (
    <div ref={list} class={`results ${layout}`} style={{ height: `${totalHeight}px` }}>
      <ul aria-label="Items">
        {rows.flatMap(({ index, start }) =>
          items.slice(...laid.itemsOf(index)).map((item, column) => (
            <li
              key={item.id}
              style={{
                transform: `translate(${(column * (width + gap)) / columns}px, ${start - top}px)`,
                width: `${(width + gap) / columns - gap}px`,
                height: `${height - gap}px`,
              }}
            >
              <Tile
                collection={collection}
                item={item}
                facts={layout === "list" ? factsOf(item) : undefined}
                isFaint={cutRow !== undefined && index > cutRow}
              />
            </li>
          )),
        )}
      </ul>
      {rows.map(
        ({ index, start }) =>
          index === cutRow && (
            <p
              key="cut"
              class="cut"
              style={{ transform: `translateY(${start - top}px)`, height: `${cutHeight - gap}px` }}
            >
              <span>
                {cutRow === 0 ? "Nothing here is clearly about this" : "Less certain from here"}
                <span class="why">: 1 unrelated word in 4 finds something as near</span>
              </span>
            </p>
          ),
      )}
    </div>
  );
}

function Tile({
  collection,
  item,
  facts,
  isFaint,
}: {
  collection: string;
  item: Shown;
  facts?: string;
  isFaint: boolean;
}) {
  const { id, modality, similarity } = item;
  const isMarked = marked.value.has(id);
  return (
    <div class={`tile-frame ${isMarked ? "marked" : ""} ${isFaint ? "faint" : ""}`}>
      <button
        type="button"
        class="item"
        aria-pressed={focusedId.value === id}
        onClick={(event) => {
          if (event.shiftKey) markTo(id);
          else if (event.ctrlKey || event.metaKey) toggleMark(id);
          else focusedId.value = id;
        }}
        onDblClick={() => ask({ itemId: id, text: "" })}
      >
        <Preview collection={collection} item={item} />
        <span class="caption">
          <i class={`square ${modality}`} aria-hidden="true" />
          <span class="name" title={id}>
            {fileNameOf(id)}
          </span>
          {facts !== undefined && <span class="facts">{facts}</span>}
          {similarity !== undefined && <span class="cosine">{similarity.toFixed(3)}</span>}
        </span>
      </button>
      <PlayButton collection={collection} item={item} />
      <input
        type="checkbox"
        class="mark-box"
        checked={isMarked}
        aria-label={`Select ${id}`}
        onClick={(event) => {
          if (event.shiftKey) markTo(id);
          else toggleMark(id);
        }}
      />
    </div>
  );
}

/** What a row has room for: the values of the first fields. */
const factsOf = ({ metadata }: Shown): string =>
  Object.values(metadata)
    .slice(0, 5)
    .map((value) =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? JSON.stringify(value)
        : String(value),
    )
    .join(" · ");

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
