import { randomBytes } from "node:crypto";
import type { Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { modalities } from "../index/modalities.js";
import type { CollectionStats, VectorStore } from "../index/vector-store.js";
import { type Rows, take } from "../math/rows.js";
import { Recent } from "../recent.js";
import { startWorker, type WorkerHandle } from "../workers/start-worker.js";
import { type MapItems, readMapItems } from "./map-items.js";
import type { MapLayouts } from "./map-layouts.js";
import type { Plane, Regions } from "./map-worker.js";
import type { MapRows, NearestWords } from "./region-names.js";

export type MapMethod = "pca" | "umap";

/** A collection in the plane. */
export interface CollectionMap extends Regions {
  id: string;
  collection: string;
  method: MapMethod;
  /** Items changed since they were laid out. */
  isStale: boolean;
  /** [N, 2] */
  points: Float32Array;
  /** Share of the variance that each axis shows; not of UMAP. */
  explained: [number, number] | undefined;
  /** Of each point, in the order of the points: oldest first. */
  ids: string[];
  /** Position in [text, image, audio]. */
  modalities: Uint8Array;
  /** Items that the collection had; more than there are points when it was too large. */
  total: number;
  /** The mean point of each modality present, in the order of `modalities`. */
  centroids: { modality: Modality; count: number; x: number; y: number }[];
}

/** Of larger collections every second, third, … item is shown. */
export const maxPoints: Record<MapMethod, number> = { pca: 100_000, umap: 20_000 };
const mapsRemembered = 4;
/** After this time a map is computed again, since changes that keep the count go unnoticed. */
const maxAgeMs = 60_000;

type Laid = Plane & Regions;

/** Maps of collections, made in a thread and kept for a minute. */
export class CollectionMaps {
  readonly #store: Pick<VectorStore, "stats" | "page">;
  readonly layouts: MapLayouts;
  readonly #recent = new Recent<CollectionMap>(mapsRemembered, { maxAgeMs });
  /** The latest maps by id, including older ones of the same collection. */
  readonly #byId = new Map<string, CollectionMap>();
  #worker: WorkerHandle | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<VectorStore, "stats" | "page">, layouts: MapLayouts) {
    this.#store = store;
    this.layouts = layouts;
  }

  /**
   * @throws AppError `not_found`, also when no job has laid the collection out by UMAP; `conflict`
   *   when it is replaced meanwhile.
   */
  async of(collection: string, method: MapMethod = "pca"): Promise<CollectionMap> {
    const stats = await this.#store.stats(collection);
    const { name, createdAt, space, count } = stats;
    const key = JSON.stringify([name, method, createdAt, space, count]);
    const map = await this.#recent.get(key, () => {
      const made = this.#last.then(() =>
        method === "pca" ? this.#byComponents(stats) : this.#byLayout(stats),
      );
      this.#last = made.catch(() => undefined);
      return made;
    });
    // An earlier one that is given again is the latest once more.
    this.#byId.delete(map.id);
    this.#byId.set(map.id, map);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > mapsRemembered) this.#byId.delete(oldest);
    return map;
  }

  /** @throws AppError `not_found` for one that is no longer remembered. */
  byId(id: string): CollectionMap {
    const map = this.#byId.get(id);
    if (map !== undefined) return map;
    throw new AppError(
      "not_found",
      `The map "${id}" is no longer available: request the map again`,
      {
        param: "map",
      },
    );
  }

  /** Computes the maps of a collection again on the next request. */
  forget(collection: string): void {
    this.#recent.forget((key) => (JSON.parse(key) as string[])[0] === collection);
  }

  /** Principal components. @param rows  N >= 1; its buffers are moved. */
  project(rows: MapRows): Promise<Laid> {
    const transfer = [rows.values.buffer as ArrayBuffer];
    return this.#thread().call<Laid>("project", rows, { transfer });
  }

  /** The nearest of some words for each region. @param words  [W, D] */
  nearestWords({ means }: CollectionMap, words: Rows): Promise<NearestWords> {
    return this.#thread().call<NearestWords>("name", { means, words });
  }

  async close(): Promise<void> {
    await this.#worker?.close();
  }

  async #byComponents(stats: CollectionStats): Promise<CollectionMap> {
    const items = await readMapItems(this.#store, stats, maxPoints.pca);
    const { ids, rows } = items;
    if (ids.length === 0) {
      const points = new Float32Array(0);
      const means = { values: new Float32Array(0), dimensions: stats.dimensions };
      return this.#mapOf(stats, items, { points, explained: [0, 0], regions: [], means });
    }
    return this.#mapOf(stats, items, await this.project(rows));
  }

  async #byLayout(stats: CollectionStats): Promise<CollectionMap> {
    const layout = await this.layouts.read(stats);
    if (layout === undefined) {
      const message = `"${stats.name}" is not laid out by UMAP yet: POST …/map starts a job`;
      throw new AppError("not_found", message, { param: "method" });
    }
    const items = await readMapItems(this.#store, stats, maxPoints.umap);
    const placeOf = new Map(layout.ids.map((id, i) => [id, i]));
    const shown = [...items.ids.keys()].filter((i) => placeOf.has(items.ids[i]));
    const ids = shown.map((i) => items.ids[i]);
    const points = take(
      { values: layout.points, dimensions: 2 },
      ids.map((id) => placeOf.get(id)!),
    ).values;
    const rows = {
      ...take(items.rows, shown),
      kinds: Uint8Array.from(shown, (i) => items.rows.kinds[i]),
    };
    const regions = await this.#thread().call<Regions>("regions", { points, rows });
    const isStale = items.digest !== layout.digest;
    return this.#mapOf(stats, { ids, rows }, { points, ...regions, isStale });
  }

  #mapOf(
    { name, count }: CollectionStats,
    { ids, rows: { kinds } }: Pick<MapItems, "ids" | "rows">,
    laid: Omit<Laid, "explained"> & Partial<Pick<Laid, "explained">> & { isStale?: boolean },
  ): CollectionMap {
    const { points, regions, means, explained, isStale = false } = laid;
    return {
      id: randomBytes(9).toString("base64url"),
      collection: name,
      method: explained === undefined ? "umap" : "pca",
      isStale,
      points,
      explained,
      regions,
      means,
      ids,
      modalities: kinds,
      total: count,
      centroids: centroidsOf(points, kinds),
    };
  }

  #thread(): WorkerHandle {
    if (this.#worker === undefined || this.#worker.ended !== undefined)
      this.#worker = startWorker(new URL("./map-worker.js", import.meta.url));
    return this.#worker;
  }
}

function centroidsOf(points: Float32Array, kinds: Uint8Array): CollectionMap["centroids"] {
  return modalities.flatMap((modality, kind) => {
    let [count, x, y] = [0, 0, 0];
    for (let i = 0; i < kinds.length; i++) {
      if (kinds[i] !== kind) continue;
      count++;
      x += points[2 * i];
      y += points[2 * i + 1];
    }
    return count === 0 ? [] : [{ modality, count, x: x / count, y: y / count }];
  });
}
