import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../../components/use-keys.js";
import { useVirtualRows } from "../../components/use-virtual-rows.js";
import { cut, feed, loadMore, type Shown } from "./feed.js";
import { closeDetails, focusedId, focusItem, focusRequests } from "./focus.js";
import { playOrPause } from "./player.js";
import { ask, type Layout } from "./query.js";
import { type Direction, layRows } from "./rows.js";
import { marked, toggleMark } from "./selection.js";
import { Tile } from "./tile.js";
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
 * To the keyboard they are one stop: the arrows go from tile to tile.
 */
export function Results({ collection, layout }: { collection: string; layout: Layout }) {
  const { items, cursor } = feed.value;
  const list = useRef<HTMLDivElement>(null);
  const { width, top } = usePlace(list);
  const { width: tileWidth, height } = sizes[layout];
  const fitting = Math.floor((width + gap) / (tileWidth + gap));
  const columns = Math.max(layout === "grid" ? 2 : 1, fitting);
  const laid = layRows(items.length, columns, cut.value);
  const { count, cutRow } = laid;
  const tabStop = useTabStop(items);
  const { rows, totalHeight, scrollToRow } = useVirtualRows({
    count,
    rowHeight: height,
    top,
    odd: cutRow === undefined ? undefined : { row: cutRow, height: cutHeight },
    kept: laid.rowOf(tabStop),
  });
  useFocus(list, items);
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= count - 6) void loadMore();
  }, [last, count]);

  const goTo = (place: number) => {
    const item = items[place];
    if (item === undefined) return false;
    focusItem(item.id);
    scrollToRow(laid.rowOf(place));
    return true;
  };
  /** The place of the item that a key is for. */
  const placeFor = ({ target }: KeyboardEvent) => {
    const cell = (target as HTMLElement).closest<HTMLElement>("[role=gridcell]");
    const id = cell?.dataset.id ?? focusedId.value;
    return items.findIndex((item) => item.id === id);
  };
  const move = (direction: Direction, isPage = false) => {
    const times = isPage ? Math.max(1, Math.floor(innerHeight / height) - 1) : 1;
    return (event: KeyboardEvent) => {
      if (isPage && !isInResults(event)) return false;
      let place = placeFor(event);
      if (place < 0) return goTo(0);
      for (let i = 0; i < times; i++) place = laid.step(place, direction);
      return goTo(place);
    };
  };
  const act = (work: (item: Shown) => void) => (event: KeyboardEvent) => {
    const item = items[placeFor(event)];
    if (item === undefined) return false;
    work(item);
    return true;
  };
  const open = act((item) => {
    focusedId.value = item.id;
    if (item.media_url === undefined) return;
    if (item.modality === "audio") playOrPause(collection, item);
    else if (item.modality === "image") openViewer();
  });
  const openUnlessControl = (event: KeyboardEvent) => !isOnControl(event) && open(event);
  useKeys({
    ArrowRight: move("right"),
    ArrowLeft: move("left"),
    ArrowDown: move("down"),
    ArrowUp: move("up"),
    PageDown: move("down", true),
    PageUp: move("up", true),
    Home: (event) => isInResults(event) && goTo(0),
    End: (event) => isInResults(event) && goTo(items.length - 1),
    Enter: openUnlessControl,
    " ": openUnlessControl,
    x: act(({ id }) => toggleMark(id)),
    s: act(({ id }) => ask({ itemId: id, text: "" })),
    Escape: () => {
      if (focusedId.value === undefined) marked.value = new Set();
      else closeDetails();
      return true;
    },
  });
  const isBelowCut = (row: number) => cutRow !== undefined && row > cutRow;
  return (
    <div ref={list} class={`results ${layout}`} style={{ height: `${totalHeight}px` }}>
      {/* biome-ignore lint/a11y/useSemanticElements: a table would need all of its rows */}
      <div
        role="grid"
        aria-label="Items"
        aria-multiselectable="true"
        aria-rowcount={cursor === undefined ? count - (cutRow === undefined ? 0 : 1) : -1}
        aria-colcount={columns}
      >
        {rows.map(
          ({ index, start }) =>
            index !== cutRow && (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useFocusableInteractive: its cells have the focus
              <div
                key={index}
                role="row"
                aria-rowindex={isBelowCut(index) ? index : index + 1}
                style={{
                  transform: `translateY(${start - top}px)`,
                  height: `${height - gap}px`,
                  gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
                  gap: `${gap}px`,
                }}
              >
                {items.slice(...laid.itemsOf(index)).map((item, column) => (
                  <Tile
                    key={item.id}
                    collection={collection}
                    item={item}
                    column={column}
                    isTabStop={item === items[tabStop]}
                    isFaint={isBelowCut(index)}
                    facts={layout === "list" ? factsOf(item) : undefined}
                  />
                ))}
              </div>
            ),
        )}
      </div>
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
                <span class="why">: 1 in 4 unrelated words would match as well</span>
              </span>
            </p>
          ),
      )}
    </div>
  );
}

const isInResults = ({ target }: KeyboardEvent) =>
  (target as HTMLElement).closest("[role=grid]") !== null;

/** What uses these keys itself. */
const controls: Record<string, string> = {
  Enter: "a, button, summary, dialog",
  " ": "button, input, summary, dialog",
};

const isOnControl = ({ target, key }: KeyboardEvent) =>
  (target as HTMLElement).closest(controls[key]) !== null;

/** Place of the item to which Tab leads: that which was focused last, else the first. */
function useTabStop(items: readonly Shown[]): number {
  const lastId = useRef<string>(undefined);
  lastId.current = focusedId.value ?? lastId.current;
  return Math.max(
    0,
    items.findIndex(({ id }) => id === lastId.current),
  );
}

/** Gives the tab stop the browser's focus: on request, and when the tile that had it is gone. */
function useFocus(list: { current: HTMLElement | null }, items: readonly Shown[]): void {
  const requests = focusRequests.value;
  const handled = useRef(requests);
  const hadFocus = list.current?.contains(document.activeElement) ?? false;
  useLayoutEffect(() => {
    const isLost = hadFocus && document.activeElement === document.body;
    if (!isLost && handled.current === requests) return;
    handled.current = requests;
    const tabStop = list.current?.querySelector<HTMLElement>("[role=gridcell][tabindex='0']");
    tabStop?.focus({ preventScroll: true });
  }, [requests, items]);
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
