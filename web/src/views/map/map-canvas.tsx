import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { route } from "../../router.js";
import type { Colouring } from "./colouring.js";
import { drawMap, type Scene } from "./draw-map.js";
import { changeAddress } from "./map-controls.js";
import type { MapData, MapName } from "./map-data.js";
import { Palette } from "./palette.js";
import { type Thumbnail, Thumbnails } from "./thumbnails.js";
import {
  nearestPoint,
  type Point,
  placeOfView,
  pointsWithin,
  type Size,
  type Viewport,
  viewAt,
  wholeMap,
  zoomed,
} from "./viewport.js";

const hoverPixels = 12;
/** Once it has come to rest: browsers limit how often an address may change. */
const linkAfterMs = 300;
const help = "Arrows move, plus and minus zoom, Enter lists what is in view.";

interface Props {
  data: MapData;
  names: readonly MapName[];
  colouring: Colouring;
  weights: Float32Array | undefined;
  selected: readonly number[];
  onSelect: (points: readonly number[]) => void;
}

/** The map: dragging moves it, the wheel zooms, a click takes a point, "Encircle" takes many. */
export function MapCanvas({ data, colouring, names, weights, selected, onSelect }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const [view, setView] = useState<Viewport>();
  const [hovered, setHovered] = useState<number>();
  const [isEncircling, setEncircling] = useState(false);
  const [lasso, setLasso] = useState<readonly Point[]>([]);
  const theme = useTheme();
  const drag = useRef<{ from: Point; view: Viewport; hasMoved: boolean }>(undefined);
  useLayoutEffect(() => {
    const resized = new ResizeObserver(([{ contentRect }]) =>
      setSize({ width: contentRect.width, height: contentRect.height }),
    );
    resized.observe(canvas.current!);
    return () => resized.disconnect();
  }, []);
  // The part that is seen is in the address, and stays the same when the window does not
  const place = route.value.params.get("at");
  useEffect(() => {
    if (size.width > 0) setView(viewAt(place, wholeMap(data, size)));
  }, [data, size.width, size.height, place]);
  useEffect(() => {
    if (view === undefined) return;
    const at = placeOfView(view, wholeMap(data, size));
    const timer = setTimeout(() => changeAddress({ at }), linkAfterMs);
    return () => clearTimeout(timer);
  }, [view]);
  const palette = useRef<[string, Palette]>(undefined);
  const thumbnails = useThumbnails(data);
  const drawn = useRef<readonly Thumbnail[]>([]);
  useEffect(() => {
    if (view === undefined || size.width === 0) return;
    const element = canvas.current!;
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (element.width !== width) element.width = width;
    if (element.height !== height) element.height = height;
    if (palette.current?.[0] !== theme) palette.current = [theme, new Palette(element)];
    const marks = { selected: new Set(selected), hovered, lasso };
    const seen = { data, colouring, names, thumbnails, weights };
    const scene: Scene = { ...seen, view, size, ...marks };
    const frame = requestAnimationFrame(() => {
      drawn.current = drawMap(element, scene, palette.current![1]);
    });
    return () => cancelAnimationFrame(frame);
  });

  const placeOf = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top } = canvas.current!.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };
  /** The picture there, or the nearest point. */
  const pointAt = (at: Point): number | undefined =>
    drawn.current.findLast((picture) => isWithin(picture, at))?.point ??
    (view && nearestPoint(data, view, { at, size, within: hoverPixels }));
  const zoom = (by: number, at: Point = [size.width / 2, size.height / 2]) =>
    setView((before) => before && zoomed(before, by, at, size));
  const pan = (x: number, y: number) =>
    setView(
      (before) =>
        before && { ...before, x: before.x + x / before.scale, y: before.y + y / before.scale },
    );
  // Not passive, so that the page does not scroll meanwhile.
  useEffect(() => {
    const element = canvas.current!;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), placeOf(event));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [size]);

  const onPointerDown = (event: PointerEvent) => {
    if (view === undefined) return;
    canvas.current!.setPointerCapture(event.pointerId);
    drag.current = { from: placeOf(event), view, hasMoved: false };
    if (isEncircling) setLasso([placeOf(event)]);
  };
  const onPointerMove = (event: PointerEvent) => {
    if (view === undefined) return;
    const at = placeOf(event);
    const dragged = drag.current;
    if (dragged === undefined) return setHovered(pointAt(at));
    const [x, y] = [at[0] - dragged.from[0], at[1] - dragged.from[1]];
    dragged.hasMoved ||= Math.hypot(x, y) > 4;
    if (isEncircling) setLasso((line) => [...line, at]);
    else if (dragged.hasMoved) {
      const { scale } = dragged.view;
      setView({ scale, x: dragged.view.x - x / scale, y: dragged.view.y + y / scale });
    }
  };
  const onPointerUp = (event: PointerEvent) => {
    const dragged = drag.current;
    drag.current = undefined;
    if (dragged === undefined || view === undefined) return;
    if (isEncircling && dragged.hasMoved) onSelect(pointsWithin(data, view, { line: lasso, size }));
    else if (!dragged.hasMoved) {
      const point = pointAt(placeOf(event));
      onSelect(point === undefined ? [] : [point]);
    }
    setLasso([]);
    setEncircling(false);
  };
  const inView = () => {
    const { width, height } = size;
    const line: Point[] = [
      [0, 0],
      [width, 0],
      [width, height],
      [0, height],
    ];
    return view === undefined ? [] : pointsWithin(data, view, { line, size });
  };
  const keys: Record<string, () => void> = {
    ArrowLeft: () => pan(-60, 0),
    ArrowRight: () => pan(60, 0),
    ArrowUp: () => pan(0, 60),
    ArrowDown: () => pan(0, -60),
    "+": () => zoom(1.5),
    "-": () => zoom(1 / 1.5),
    "0": () => setView(wholeMap(data, size)),
    Enter: () => onSelect(inView()),
    Escape: () => onSelect([]),
  };
  return (
    <div class="map-frame">
      <canvas
        ref={canvas}
        class={isEncircling ? "encircling" : ""}
        role="img"
        tabIndex={0}
        aria-label={`${data.count} items in the plane${regionsIn(names)}. ${help}`}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerLeave={() => setHovered(undefined)}
        onKeyDown={(event) => {
          const act = keys[event.key];
          if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          event.stopPropagation();
          act();
        }}
      />
      <div class="row map-tools" role="toolbar" aria-label="Map">
        <button type="button" aria-label="Zoom in" onClick={() => zoom(1.5)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => zoom(1 / 1.5)}>
          −
        </button>
        <button type="button" onClick={() => setView(wholeMap(data, size))}>
          Whole map
        </button>
        <button
          type="button"
          aria-pressed={isEncircling}
          onClick={() => setEncircling(!isEncircling)}
        >
          Encircle
        </button>
        <button type="button" onClick={() => onSelect(inView())}>
          List what is in view
        </button>
      </div>
    </div>
  );
}

const isWithin = ({ left, top, width, height }: Thumbnail, [x, y]: Point) =>
  x >= left && x <= left + width && y >= top && y <= top + height;

/** Of a collection that has previews; draws again when one has come. */
function useThumbnails(data: MapData): Thumbnails | undefined {
  const [, draw] = useState(0);
  const [thumbnails, setThumbnails] = useState<Thumbnails>();
  useEffect(() => {
    if (!data.hasPreviews) return setThumbnails(undefined);
    const created = new Thumbnails(data, () => draw((n) => n + 1));
    setThumbnails(created);
    return () => created.close();
  }, [data]);
  return thumbnails;
}

/** For who does not see where they are: the names of the largest. */
function regionsIn(names: readonly MapName[]): string {
  const largest = [...new Set(names.map(({ text }) => text))].slice(0, 12);
  return largest.length === 0 ? "" : `, among them ${largest.join(", ")}`;
}

/** Changes with the colours of the page. */
function useTheme(): string {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const [isDark, setDark] = useState(dark.matches);
  useEffect(() => {
    const onChange = () => setDark(dark.matches);
    dark.addEventListener("change", onChange);
    return () => dark.removeEventListener("change", onChange);
  }, []);
  return isDark ? "dark" : "light";
}
