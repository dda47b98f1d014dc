import { effect, signal } from "@preact/signals";
import type { MapAnswer } from "../../../../src/wire/maps.js";
import { needsKey, sentenceOf, server } from "../../server.js";

const modalities = ["text", "image", "audio"] as const;

/** A collection in the plane, as it is drawn. */
export interface MapData extends Omit<MapAnswer, "map"> {
  collection: string;
  /** [N, 2] */
  points: Float32Array;
  /** Position in [text, image, audio], of each point. */
  kinds: Uint8Array;
  ids: readonly string[];
}

export type MapState =
  | { state: "loading" }
  | { state: "failed"; sentence: string }
  | { state: "ready"; data: MapData };

export const mapState = signal<MapState>({ state: "loading" });

export const modalityAt = ({ kinds }: MapData, point: number) => modalities[kinds[point]];

const idsAtOnce = 50_000;
let asking = new AbortController();

/** Loads the map of a collection, and again once a key was entered. @returns how to stop. */
export function followMap(collection: string): () => void {
  const stop = effect(() => {
    if (!needsKey.value) void loadMap(collection);
  });
  return () => {
    asking.abort();
    stop();
  };
}

export async function loadMap(collection: string): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  mapState.value = { state: "loading" };
  try {
    const client = server.peek();
    const { map, ...answer } = await client.map(collection, { signal });
    const idPages = Array.from({ length: Math.ceil(answer.count / idsAtOnce) }, (_, i) =>
      client.mapIds(collection, { map, offset: i * idsAtOnce, limit: idsAtOnce }, { signal }),
    );
    const [blob, ...pages] = await Promise.all([
      client.mapPoints(collection, { map }, { signal }),
      ...idPages,
    ]);
    const bytes = await blob.arrayBuffer();
    if (signal.aborted) return;
    const points = new Float32Array(bytes, 0, 2 * answer.count);
    const kinds = new Uint8Array(bytes, 8 * answer.count);
    const ids = pages.flatMap((page) => page.ids);
    mapState.value = { state: "ready", data: { collection, ...answer, points, kinds, ids } };
  } catch (error) {
    if (!signal.aborted && !needsKey.peek())
      mapState.value = { state: "failed", sentence: sentenceOf(error) };
  }
}
