import type { MapData } from "./map-data.js";

/** Which part of the plane is seen: pixel = scale * (point - centre) + half of the canvas. */
export interface Viewport {
  x: number;
  y: number;
  /** Pixels to a unit of the plane, the same on both axes. */
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

const margin = 40;

/** All of the points, with one scale on both axes. */
export function wholeMap({ points }: Pick<MapData, "points">, { width, height }: Size): Viewport {
  let [left, right, bottom, top] = [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  for (let i = 0; i < points.length; i += 2) {
    left = Math.min(left, points[i]);
    right = Math.max(right, points[i]);
    bottom = Math.min(bottom, points[i + 1]);
    top = Math.max(top, points[i + 1]);
  }
  if (points.length === 0) return { x: 0, y: 0, scale: 1 };
  const across = Math.max(right - left, 1e-6);
  const up = Math.max(top - bottom, 1e-6);
  const scale = Math.min((width - 2 * margin) / across, (height - 2 * margin) / up);
  return { x: (left + right) / 2, y: (bottom + top) / 2, scale: Math.max(scale, 1e-3) };
}

/** "x,y,zoom" for the address: the centre, and how many times closer than the whole map. */
export function placeOfView(view: Viewport, whole: Viewport): string | undefined {
  const zoom = view.scale / whole.scale;
  const isWhole = view.x === whole.x && view.y === whole.y && zoom === 1;
  return isWhole ? undefined : [view.x, view.y, zoom].map((n) => n.toPrecision(7)).join(",");
}

/** The inverse; the whole map where the address says nothing that can be read. */
export function viewAt(place: string | null, whole: Viewport): Viewport {
  const numbers = place?.split(",").map(Number) ?? [];
  const [x, y, zoom] = numbers;
  if (numbers.length !== 3 || !numbers.every(Number.isFinite) || zoom <= 0) return whole;
  return { x, y, scale: inRange(whole.scale * zoom) };
}

const inRange = (scale: number) => Math.min(1e7, Math.max(1e-3, scale));

/** Closer or farther, about a place of the canvas that stays where it is. */
export function zoomed(view: Viewport, by: number, at: Point, size: Size): Viewport {
  const [x, y] = planeAt(view, at, size);
  const scale = inRange(view.scale * by);
  const kept = view.scale / scale;
  return { x: x + (view.x - x) * kept, y: y + (view.y - y) * kept, scale };
}

export type Point = readonly [x: number, y: number];

/** The y axis of the plane goes up. */
const planeAt = (view: Viewport, [px, py]: Point, { width, height }: Size): Point => [
  view.x + (px - width / 2) / view.scale,
  view.y - (py - height / 2) / view.scale,
];

export const pixelAt = (view: Viewport, [x, y]: Point, { width, height }: Size): Point => [
  (x - view.x) * view.scale + width / 2,
  (view.y - y) * view.scale + height / 2,
];

/** The point nearest to a place of the canvas, within so many pixels. */
export function nearestPoint(
  { points }: Pick<MapData, "points">,
  view: Viewport,
  { at, size, within }: { at: Point; size: Size; within: number },
): number | undefined {
  const [x, y] = planeAt(view, at, size);
  let best: number | undefined;
  let least = (within / view.scale) ** 2;
  for (let i = 0; i < points.length / 2; i++) {
    const distance = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2;
    if (distance >= least) continue;
    least = distance;
    best = i;
  }
  return best;
}

/** Points inside a closed line of the canvas, by the even-odd rule. */
export function pointsWithin(
  { points }: Pick<MapData, "points">,
  view: Viewport,
  { line, size }: { line: readonly Point[]; size: Size },
): number[] {
  const corners = line.map((corner) => planeAt(view, corner, size));
  const found: number[] = [];
  for (let i = 0; i < points.length / 2; i++) {
    const [x, y] = [points[2 * i], points[2 * i + 1]];
    let isInside = false;
    for (const [k, [ax, ay]] of corners.entries()) {
      const [bx, by] = corners[(k + 1) % corners.length];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isInside = !isInside;
    }
    if (isInside) found.push(i);
  }
  return found;
}
