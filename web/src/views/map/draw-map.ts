import { modalityNames } from "../../media.js";
import { type MapData, type MapName, modalityAt } from "./map-data.js";
import { type Point, pixelAt, type Size, type Viewport } from "./viewport.js";

export interface Scene {
  data: MapData;
  /** Of regions, the large ones first. */
  names: readonly MapName[];
  view: Viewport;
  size: Size;
  /** How much each point stands out, in [0, 1]; all alike when there are none. */
  weights: Float32Array | undefined;
  selected: ReadonlySet<number>;
  hovered: number | undefined;
  lasso: readonly Point[];
}

const levels = 8;
const faintest = 0.07;
const radius = 3;
/** Regions in between are named. */
const minRegionPixels = 45;
const maxRegionPixels = 420;

/** The page's colours as they are at present, and the discs drawn with them. */
export class Palette {
  readonly ink: string;
  readonly accent: string;
  readonly surface: string;
  readonly font: string;
  readonly nameFont: string;
  readonly #colours: readonly string[];
  readonly #discs = new Map<string, HTMLCanvasElement>();

  constructor(element: Element) {
    const style = getComputedStyle(element);
    const of = (name: string) => style.getPropertyValue(name).trim();
    this.#colours = [of("--text"), of("--image"), of("--audio")];
    this.ink = of("--ink");
    this.accent = of("--accent");
    this.surface = of("--surface");
    this.font = `600 12px ${style.fontFamily}`;
    this.nameFont = `500 12px ${style.fontFamily}`;
  }

  colour(kind: number): string {
    return this.#colours[kind];
  }

  /** Drawn once for each colour and strength: copying it is several times faster than an arc. */
  disc(kind: number, level: number, ratio: number): HTMLCanvasElement {
    const key = `${kind} ${level} ${ratio}`;
    const cached = this.#discs.get(key);
    if (cached !== undefined) return cached;
    const disc = document.createElement("canvas");
    disc.width = disc.height = Math.ceil(2 * (radius + 1) * ratio);
    const context = disc.getContext("2d")!;
    context.scale(ratio, ratio);
    context.fillStyle = this.#colours[kind];
    context.globalAlpha = faintest + (0.8 - faintest) * (level / (levels - 1));
    context.beginPath();
    context.arc(radius + 1, radius + 1, radius, 0, 2 * Math.PI);
    context.fill();
    this.#discs.set(key, disc);
    return disc;
  }
}

/** Draws the map: points, the gap between modalities, what is selected, hovered and encircled. */
export function drawMap(canvas: HTMLCanvasElement, scene: Scene, palette: Palette): void {
  const { data, view, size, weights, selected, hovered, lasso } = scene;
  const context = canvas.getContext("2d")!;
  const ratio = canvas.width / size.width;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const { points, kinds } = data;
  const half = (radius + 1) * ratio;
  const [scale, left, top] = [view.scale * ratio, canvas.width / 2, canvas.height / 2];
  for (let i = 0; i < kinds.length; i++) {
    const x = (points[2 * i] - view.x) * scale + left;
    const y = (view.y - points[2 * i + 1]) * scale + top;
    if (x < -half || y < -half || x > canvas.width + half || y > canvas.height + half) continue;
    const level = weights === undefined ? 5 : Math.round(weights[i] * (levels - 1));
    context.drawImage(palette.disc(kinds[i], level, ratio), x - half, y - half);
  }
  context.scale(ratio, ratio);
  context.font = palette.font;
  drawGap(context, scene, palette);
  drawNames(context, scene, palette);
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const point of selected) ring(context, placeOf(scene, point), radius + 2);
  context.stroke();
  if (lasso.length > 1) {
    context.setLineDash([4, 4]);
    context.beginPath();
    for (const [x, y] of lasso) context.lineTo(x, y);
    context.closePath();
    context.stroke();
    context.setLineDash([]);
  }
  const [only] = selected;
  const named = hovered ?? (selected.size === 1 ? only : undefined);
  if (named === undefined) return;
  context.strokeStyle = palette.ink;
  context.lineWidth = 2;
  context.beginPath();
  ring(context, placeOf(scene, named), radius + 3);
  context.stroke();
  const name = data.ids[named];
  context.font = palette.font;
  label(context, palette, name.slice(name.lastIndexOf("/") + 1), {
    at: placeOf(scene, named),
    up: 12,
    colour: palette.ink,
    width: size.width,
  });
  canvas.title = `${modalityNames[modalityAt(data, named)]} ${name}`;
}

/** A line between the mean points of the two largest modalities, and a name at each. */
function drawGap(context: CanvasRenderingContext2D, scene: Scene, palette: Palette): void {
  const { centroids } = scene.data;
  if (centroids.length < 2) return;
  const largest = [...centroids].sort((a, b) => b.count - a.count);
  const places = largest.map(({ x, y }) => pixelAt(scene.view, [x, y], scene.size));
  context.strokeStyle = palette.ink;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(...places[0]);
  context.lineTo(...places[1]);
  context.stroke();
  for (const [i, { modality }] of largest.entries()) {
    const colour = palette.colour(["text", "image", "audio"].indexOf(modality));
    context.fillStyle = colour;
    context.strokeStyle = palette.surface;
    context.beginPath();
    ring(context, places[i], 6);
    context.fill();
    context.stroke();
    const options = { at: places[i], up: 14, colour, width: scene.size.width };
    label(context, palette, `${modalityNames[modality]}s`, options);
  }
}

/** Places the names that fit, where their region is neither a speck nor wider than the view. */
function drawNames(
  context: CanvasRenderingContext2D,
  { names, view, size, data: { centroids } }: Scene,
  palette: Palette,
): void {
  context.font = palette.nameFont;
  const gap = centroids.length < 2 ? [] : centroids.map((one) => boxAt(view, size, one, 60));
  const placed: Box[] = gap;
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
    label(context, palette, text, { at, up: 0, colour: palette.ink, width: size.width });
  }
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
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

function label(
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

function ring(context: CanvasRenderingContext2D, [x, y]: Point, around: number): void {
  context.moveTo(x + around, y);
  context.arc(x, y, around, 0, 2 * Math.PI);
}

const placeOf = ({ data, view, size }: Scene, point: number): Point =>
  pixelAt(view, [data.points[2 * point], data.points[2 * point + 1]], size);
