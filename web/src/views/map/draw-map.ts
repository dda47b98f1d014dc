import { fileNameOf, modalityNames } from "../../media.js";
import type { Colouring } from "./colouring.js";
import { drawGap, drawLabel, drawNames } from "./draw-labels.js";
import { type MapData, type MapName, modalities, modalityAt } from "./map-data.js";
import { levels, type Palette, radius } from "./palette.js";
import { maxPictures, type Thumbnail, type Thumbnails } from "./thumbnails.js";
import { type Point, pixelAt, type Size, type Viewport } from "./viewport.js";

export interface Scene {
  data: MapData;
  colouring: Colouring;
  /** Of regions, the large ones first. */
  names: readonly MapName[];
  /** Undefined where the collection has none. */
  thumbnails: Thumbnails | undefined;
  view: Viewport;
  size: Size;
  /** How much each point stands out, in [0, 1]; all alike when there are none. */
  weights: Float32Array | undefined;
  selected: ReadonlySet<number>;
  hovered: number | undefined;
  lasso: readonly Point[];
}

const pictureKind = modalities.indexOf("image");
/** Of points when none stands out. */
const evenLevel = 5;
/** Of pictures that do not stand out. */
const faintPicture = 0.35;

/**
 * By UMAP the way from one kind to the other means nothing, and by a field their colours do not.
 */
export const showsGap = ({ method, centroids }: MapData, { field }: Colouring): boolean =>
  method === "pca" && centroids.length > 1 && field === undefined;

/**
 * Draws the map: points or pictures, the gap between modalities, names, what is selected, hovered
 * and encircled.
 * @returns the pictures that were drawn.
 */
export function drawMap(canvas: HTMLCanvasElement, scene: Scene, palette: Palette): Thumbnail[] {
  const { data, view, size, selected, lasso } = scene;
  const context = canvas.getContext("2d")!;
  const ratio = canvas.width / size.width;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const inView = drawPoints(context, scene, { palette, ratio });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const placing = { width: size.width, first: selected, weights: scene.weights };
  const pictures = scene.thumbnails?.place(inView, placing) ?? [];
  drawPictures(context, pictures, scene, palette);
  const means = showsGap(data, scene.colouring) ? data.centroids : [];
  const gap = drawGap(context, { centroids: means, view, size }, palette);
  const covered = pictures.map(({ left, top, width, height }) => ({
    left,
    right: left + width,
    top,
    bottom: top + height,
  }));
  const taken = [...gap, ...covered];
  drawNames(context, { names: scene.names, view, size, taken }, palette);
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  const pictureOf = new Map(pictures.map((picture) => [picture.point, picture]));
  for (const point of selected) outline(context, scene, point, pictureOf.get(point));
  context.stroke();
  if (lasso.length > 1) {
    context.setLineDash([4, 4]);
    context.beginPath();
    for (const [x, y] of lasso) context.lineTo(x, y);
    context.closePath();
    context.stroke();
    context.setLineDash([]);
  }
  drawNamed(canvas, context, scene, { palette, pictureOf });
  return pictures;
}

/** Those of a colour of their own lie above the grey ones. @returns the pictures in view. */
function drawPoints(
  context: CanvasRenderingContext2D,
  { data, colouring, view, weights, thumbnails }: Scene,
  { palette, ratio }: { palette: Palette; ratio: number },
): Map<number, Point> {
  const { canvas } = context;
  const { points, kinds } = data;
  const { groups, groupOf, coloured } = colouring;
  const discs = groups.map(({ colour }) => palette.discs(colour, ratio));
  const half = (radius + 1) * ratio;
  const [scale, left, top] = [view.scale * ratio, canvas.width / 2, canvas.height / 2];
  const inView = new Map<number, Point>();
  for (const isGrey of coloured < groups.length ? [true, false] : [false])
    for (let i = 0; i < kinds.length; i++) {
      if (groupOf[i] >= coloured !== isGrey) continue;
      const x = (points[2 * i] - view.x) * scale + left;
      const y = (view.y - points[2 * i + 1]) * scale + top;
      if (x < -half || y < -half || x > canvas.width + half || y > canvas.height + half) continue;
      const level = weights === undefined ? evenLevel : Math.round(weights[i] * (levels - 1));
      context.drawImage(discs[groupOf[i]][level], x - half, y - half);
      if (thumbnails !== undefined && kinds[i] === pictureKind && inView.size <= maxPictures)
        inView.set(i, [x / ratio, y / ratio]);
    }
  return inView;
}

function drawPictures(
  context: CanvasRenderingContext2D,
  pictures: readonly Thumbnail[],
  { colouring: { groups, groupOf }, weights }: Scene,
  palette: Palette,
): void {
  context.lineWidth = 2;
  for (const { point, picture, left, top, width, height } of pictures) {
    context.fillStyle = palette.surface; // no point shows through
    context.fillRect(left, top, width, height);
    context.globalAlpha =
      weights === undefined ? 1 : faintPicture + (1 - faintPicture) * weights[point];
    context.drawImage(picture, left, top, width, height);
    context.strokeStyle = palette.colour(groups[groupOf[point]].colour);
    context.beginPath();
    context.roundRect(left, top, width, height, 4);
    context.stroke();
    context.globalAlpha = 1;
  }
}

/** The point under the pointer, or the only one that is selected, with its name. */
function drawNamed(
  canvas: HTMLCanvasElement,
  context: CanvasRenderingContext2D,
  scene: Scene,
  { palette, pictureOf }: { palette: Palette; pictureOf: ReadonlyMap<number, Thumbnail> },
): void {
  const { data, size, selected, hovered } = scene;
  const [only] = selected;
  const named = hovered ?? (selected.size === 1 ? only : undefined);
  if (named === undefined) {
    canvas.title = "";
    return;
  }
  const picture = pictureOf.get(named);
  context.strokeStyle = palette.ink;
  context.lineWidth = 2;
  context.beginPath();
  outline(context, scene, named, picture);
  context.stroke();
  context.font = palette.font;
  const id = data.ids[named];
  drawLabel(context, palette, fileNameOf(id), {
    at: placeOf(scene, named),
    up: picture === undefined ? 12 : picture.height / 2 + 8,
    colour: palette.ink,
    width: size.width,
  });
  canvas.title = `${modalityNames[modalityAt(data, named)]} ${id}`;
}

/** Around a point, or around the picture in its place. */
function outline(
  context: CanvasRenderingContext2D,
  scene: Scene,
  point: number,
  picture: Thumbnail | undefined,
): void {
  if (picture !== undefined) {
    const { left, top, width, height } = picture;
    context.roundRect(left - 2, top - 2, width + 4, height + 4, 6);
    return;
  }
  const [x, y] = placeOf(scene, point);
  context.moveTo(x + radius + 2, y);
  context.arc(x, y, radius + 2, 0, 2 * Math.PI);
}

const placeOf = ({ data, view, size }: Scene, point: number): Point =>
  pixelAt(view, [data.points[2 * point], data.points[2 * point + 1]], size);
