import { effect, signal } from "@preact/signals";
import { ApiError } from "../../../../src/client/client.js";
import type { MapAnswer, MapNames } from "../../../../src/wire/maps.js";
import { needsKey, returns, sentenceOf, server } from "../../server.js";

export const modalities = ["text", "image", "audio"] as const;

/** A collection in the plane, as it is drawn. */
export interface MapData extends MapAnswer {
  collection: string;
  /** [N, 2] */
  points: Float32Array;
  /** Position in [text, image, audio], of each point. */
  kinds: Uint8Array;
  ids: readonly string[];
  hasPreviews: boolean;
}

export type MapState =
  | { state: "loading" }
  /** By UMAP, which takes a job. */
  | { state: "not laid out" }
  | { state: "failed"; sentence: string }
  | { state: "ready"; data: MapData };

export const mapState = signal<MapState>({ state: "loading" });

export type MapMethod = MapAnswer["method"];
export type MapName = MapNames["names"][number];

/** Of the map that is shown; empty where no model has words for it, and until they are known. */
export const mapNames = signal<readonly MapName[]>([]);
/** While they are being found, in [0, 1]. */
export const namingProgress = signal<number | undefined>(undefined);

export const modalityAt = ({ kinds }: MapData, point: number) => modalities[kinds[point]];

const idsAtOnce = 50_000;
const sayAfterMs = 800;
let asking = new AbortController();

let followed: { collection: string; method: MapMethod } | undefined;

/**
 * Loads the map of a collection, again once a key was entered or the server is back.
 * @returns how to stop.
 */
export function followMap(collection: string, method: MapMethod): () => void {
  followed = { collection, method };
  let isBegun = false;
  const stop = effect(() => {
    if (needsKey.value || (isBegun && mapState.peek().state === "ready")) return;
    isBegun = true;
    void loadMap(collection, method);
  });
  const stopRetrying = returns.subscribe(() => {
    if (mapState.peek().state === "failed") void loadMap(collection, method);
  });
  return () => {
    followed = undefined;
    asking.abort();
    stop();
    stopRetrying();
  };
}

/** Shows a map that has just been laid out, unless something else is shown by now. */
export async function showLaidOut(collection: string, method: MapMethod): Promise<void> {
  if (followed?.collection === collection && followed.method === method)
    await loadMap(collection, method);
}

/** A map without names is a map all the same. */
async function loadNames(collection: string, map: string, signal: AbortSignal): Promise<void> {
  const timer = setTimeout(() => {
    if (!signal.aborted) namingProgress.value = 0;
  }, sayAfterMs);
  try {
    for (;;) {
      const answer = await server.peek().mapNames(collection, { map }, { signal });
      if (signal.aborted) return;
      mapNames.value = answer.names;
      if (answer.progress === 1) return;
      namingProgress.value = answer.progress;
    }
  } catch {
  } finally {
    clearTimeout(timer);
    if (!signal.aborted) namingProgress.value = undefined;
  }
}

export async function loadMap(collection: string, method: MapMethod): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  mapState.value = { state: "loading" };
  mapNames.value = [];
  namingProgress.value = undefined;
  try {
    const client = server.peek();
    const answer = await client.map(collection, { method }, { signal });
    const { map } = answer;
    const idPages = Array.from({ length: Math.ceil(answer.count / idsAtOnce) }, (_, i) =>
      client.mapIds(collection, { map, offset: i * idsAtOnce, limit: idsAtOnce }, { signal }),
    );
    const [about, blob, ...pages] = await Promise.all([
      client.getCollection(collection, { signal }),
      client.mapPoints(collection, { map }, { signal }),
      ...idPages,
    ]);
    const bytes = await blob.arrayBuffer();
    if (signal.aborted) return;
    const points = new Float32Array(bytes, 0, 2 * answer.count);
    const kinds = new Uint8Array(bytes, 8 * answer.count);
    const ids = pages.flatMap((page) => page.ids);
    const drawn = { collection, points, kinds, ids, hasPreviews: about.previews };
    mapState.value = { state: "ready", data: { ...answer, ...drawn } };
    // Vectors of one's own have no words.
    if (about.model_loaded === true) void loadNames(collection, map, signal);
  } catch (error) {
    if (signal.aborted || needsKey.peek()) return;
    if (error instanceof ApiError && error.code === "not_found" && error.param === "method")
      mapState.value = { state: "not laid out" };
    else mapState.value = { state: "failed", sentence: sentenceOf(error) };
  }
}
