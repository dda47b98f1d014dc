import { modalityNames } from "../../media.js";
import type { MapName } from "./map-data.js";
import type { Palette } from "./palette.js";
import { type Point, pixelAt, type Size, type Viewport } from "./viewport.js";

/** Regions in between are named. */
const minRegionPixels = 45;
const maxRegionPixels = 420;

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface Seen {
  view: Viewport;
  size: Size;
}

type Centroid = { modality: "text" | "image" | "audio"; count: number; x: number; y: number };

/**
 * A line between the mean points of the two largest modalities, and a name at each.
 * @returns where no name of a region may be.
 */
export function drawGap(
  context: CanvasRenderingContext2D,
  { centroids, view, size }: Seen & { centroids: readonly Centroid[] },
  palette: Palette,
): Box[] {
  if (centroids.length < 2) return [];
  const largest = [...centroids].sort((a, b) => b.count - a.count);
  const places = largest.map(({ x, y }) => pixelAt(view, [x, y], size));
  context.font = palette.font;
  context.strokeStyle = palette.ink;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(...places[0]);
  context.lineTo(...places[1]);
  context.stroke();
  const taken = places.map(([x, y]) => boxOf([x, y + 6], 16));
  for (const [i, { modality }] of largest.entries()) {
    const colour = palette.colour(`--${modality}`);
    const [x, y] = places[i];
    context.fillStyle = colour;
    context.strokeStyle = palette.surface;
    context.beginPath();
    context.arc(x, y, 6, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    const text = `${modalityNames[modality]}s`;
    const across = context.measureText(text).width;
    // Above its point; where another is in the way, below it, or still higher or lower
    const boxes = labelHeights.map((up) => ({ up, box: boxOf([x, y - up], across) }));
    const isFree = ({ box }: { box: Box }) => !taken.some((other) => overlap(box, other));
    const { up, box } = boxes.find(isFree) ?? boxes[0];
    taken.push(box);
    drawLabel(context, palette, text, { at: places[i], up, colour, width: size.width });
  }
  return taken;
}

/** From a point up to the line under a text. */
const labelHeights = [14, -24, 30, -40];

/** Of a text above a place. */
const boxOf = ([x, y]: Point, across: number): Box => ({
  left: x - across / 2 - 2,
  right: x + across / 2 + 2,
  top: y - 12,
  bottom: y + 3,
});

/**
 * Names regions where there is room, and where they are neither a speck nor wider than the view.
 * @param taken  where no name may be.
 */
export function drawNames(
  context: CanvasRenderingContext2D,
  {
    names,
    view,
    size,
    taken,
  }: Seen & {
    names: readonly MapName[];
    taken: readonly Box[];
  },
  palette: Palette,
): void {
  context.font = palette.nameFont;
  const placed: Box[] = [...taken];
  const written = new Set<string>();
  for (const { text, x, y, width } of names) {
    const across = width * view.scale;
    if (across < minRegionPixels || across > maxRegionPixels || written.has(text)) continue;
    const box = boxAt(view, size, { x, y }, context.measureText(text).width);
    const isInView =
      box.left > 0 && box.right < size.width && box.top > 0 && box.bottom < size.height;
    if (!isInView || placed.some((other) => overlap(box, other))) continue;
    placed.push(box);
    written.add(text);
    const at: Point = [(box.left + box.right) / 2, box.bottom - 6];
    drawLabel(context, palette, text, { at, up: 0, colour: palette.ink, width: size.width });
  }
}

function boxAt(
  view: Viewport,
  size: Size,
  { x, y }: { x: number; y: number },
  across: number,
): Box {
  const [px, py] = pixelAt(view, [x, y], size);
  const half = across / 2 + 6;
  return { left: px - half, right: px + half, top: py - 12, bottom: py + 10 };
}

const overlap = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Text above a place, or below it at the upper edge. */
export function drawLabel(
  context: CanvasRenderingContext2D,
  { surface }: Palette,
  text: string,
  { at: [x, y], up, colour, width }: { at: Point; up: number; colour: string; width: number },
): void {
  context.textAlign = "center";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = surface;
  context.fillStyle = colour;
  const half = context.measureText(text).width / 2 + 4;
  const place = Math.max(half, Math.min(width - half, x));
  const height = y - up < 14 ? y + up + 10 : y - up;
  context.strokeText(text, place, height);
  context.fillText(text, place, height);
}
