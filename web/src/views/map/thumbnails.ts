import { server } from "../../server.js";
import type { MapData } from "./map-data.js";
import type { Point } from "./viewport.js";

/** Pictures in view up to which they are shown. */
export const maxPictures = 200;
/** Up to which they begin to be shown: fewer, so that none flicker at the limit. */
const maxAtFirst = 150;
const loadedAtOnce = 6;
/** About 16 MB. */
const maxKept = 1000;
const sizes = { narrow: 44, wide: 64 };
const narrowWidth = 600;
/** As wide as the largest one on a screen with two pixels to one. */
const keptPixels = 128;
/** Two of them may cover each other by the rest. */
const leastDistance = 0.85;

/** A picture in place of its point: its place in the canvas, in pixels. */
export interface Thumbnail {
  point: number;
  picture: HTMLCanvasElement;
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The pictures of a map, where few enough are in view to see something in them. */
export class Thumbnails {
  readonly #data: MapData;
  readonly #onLoaded: () => void;
  /** Undefined while it is being loaded, null where there is none. */
  readonly #pictures = new Map<number, HTMLCanvasElement | undefined | null>();
  readonly #abort = new AbortController();
  #queue: readonly number[] = [];
  #loading = 0;
  /** Those that had a place the last time keep it. */
  #placed = new Set<number>();
  #isShown = false;

  constructor(data: MapData, onLoaded: () => void) {
    this.#data = data;
    this.#onLoaded = onLoaded;
  }

  /**
   * Finds a place for the pictures in view where they do not cover each other.
   * @param inView  pictures and where their points are. @param first  points that come first,
   * then those that stand out most.
   */
  place(
    inView: ReadonlyMap<number, Point>,
    {
      width,
      first,
      weights,
    }: { width: number; first: ReadonlySet<number>; weights: Float32Array | undefined },
  ): Thumbnail[] {
    this.#isShown = inView.size <= (this.#isShown ? maxPictures : maxAtFirst);
    if (!this.#isShown) {
      this.#placed.clear();
      return [];
    }
    const size = width < narrowWidth ? sizes.narrow : sizes.wide;
    const rank = (point: number) => {
      if (first.has(point)) return -1;
      if (weights !== undefined) return 1 - weights[point];
      return this.#placed.has(point) ? 0 : 1;
    };
    const placed: number[] = [];
    for (const point of [...inView.keys()].sort((a, b) => rank(a) - rank(b) || a - b)) {
      const [x, y] = inView.get(point)!;
      const isFree = placed.every((other) => {
        const [otherX, otherY] = inView.get(other)!;
        return Math.max(Math.abs(x - otherX), Math.abs(y - otherY)) >= leastDistance * size;
      });
      if (isFree) placed.push(point);
    }
    this.#placed = new Set(placed);
    this.#queue = placed.filter((point) => !this.#pictures.has(point));
    this.#loadNext();
    return placed.flatMap((point) => {
      const picture = this.#pictures.get(point);
      if (picture === undefined || picture === null) return [];
      const scale = size / Math.max(picture.width, picture.height);
      const [wide, high] = [picture.width * scale, picture.height * scale];
      const [x, y] = inView.get(point)!;
      return [{ point, picture, left: x - wide / 2, top: y - high / 2, width: wide, height: high }];
    });
  }

  /** Loads nothing more. */
  close(): void {
    this.#abort.abort();
  }

  #loadNext(): void {
    while (this.#loading < loadedAtOnce && this.#queue.length > 0) {
      const [point, ...rest] = this.#queue;
      this.#queue = rest;
      this.#loading++;
      void this.#load(point).finally(() => {
        this.#loading--;
        if (this.#abort.signal.aborted) return;
        this.#onLoaded(); // which asks for the next ones
      });
    }
  }

  async #load(point: number): Promise<void> {
    this.#pictures.set(point, undefined);
    const { collection, ids } = this.#data;
    const { signal } = this.#abort;
    try {
      const blob = await server.peek().itemPreview(collection, ids[point], { signal });
      this.#pictures.set(point, rounded(await createImageBitmap(blob)));
    } catch {
      this.#pictures.set(point, null); // its point is shown
    }
    const [oldest] = this.#pictures.keys();
    if (this.#pictures.size > maxKept) this.#pictures.delete(oldest);
  }
}

/** Rounded and made small once: each frame then only copies it. */
function rounded(image: ImageBitmap): HTMLCanvasElement {
  const scale = Math.min(1, keptPixels / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const context = canvas.getContext("2d")!;
  context.beginPath();
  context.roundRect(0, 0, canvas.width, canvas.height, 8);
  context.clip();
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return canvas;
}
