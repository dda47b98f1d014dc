import { randomBytes } from "node:crypto";
import type { Modality } from "../encoders/encoder.js";
import { AppError } from "../errors.js";
import { modalities } from "../index/modalities.js";
import type { CollectionStats, VectorStore } from "../index/vector-store.js";
import { Recent } from "../recent.js";
import { startWorker, type WorkerHandle } from "../workers/start-worker.js";
import type { Plane } from "./map-worker.js";

/** A collection in the plane. */
export interface CollectionMap extends Plane {
  id: string;
  /** Of each point, in the order of the points: oldest first. */
  ids: string[];
  /** Position in [text, image, audio]. */
  modalities: Uint8Array;
  /** Items that the collection had; more than there are points when it was too large. */
  total: number;
  /** The mean point of each modality that there is, in the order of `modalities`. */
  centroids: { modality: Modality; count: number; x: number; y: number }[];
}

/** Of larger collections every second, third, … item is shown. */
const maxPoints = 100_000;
const mapsRemembered = 4;
/** After which a map is made anew, as items may have changed that are not counted. */
const maxAgeMs = 60_000;

/** Maps of collections, made in a thread and kept for a minute. */
export class CollectionMaps {
  readonly #store: Pick<VectorStore, "stats" | "page">;
  readonly #recent = new Recent<CollectionMap>(mapsRemembered, { maxAgeMs });
  /** The latest ones by their id, also when newer ones of the same collection were made. */
  readonly #byId = new Map<string, CollectionMap>();
  #worker: WorkerHandle | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<VectorStore, "stats" | "page">) {
    this.#store = store;
  }

  /** @throws AppError `not_found`, `conflict` when the collection is replaced meanwhile. */
  async of(collection: string): Promise<CollectionMap> {
    const stats = await this.#store.stats(collection);
    const key = JSON.stringify([stats.name, stats.createdAt, stats.space, stats.count]);
    return this.#recent.get(key, () => {
      const made = this.#last.then(() => this.#make(stats));
      this.#last = made.catch(() => undefined);
      return made;
    });
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

  async close(): Promise<void> {
    await this.#worker?.close();
  }

  async #make({ name, space, dimensions, count }: CollectionStats): Promise<CollectionMap> {
    const step = Math.max(1, Math.ceil(count / maxPoints));
    const ids: string[] = [];
    const kinds: number[] = [];
    let values = new Float32Array(Math.ceil(count / step) * dimensions);
    let seen = 0;
    for (let after: string | undefined; ; ) {
      const page = await this.#store.page(name, { limit: 500, after, space });
      for (const { id, modality, embedding } of page.items) {
        // Items that are added meanwhile come at the end, and are of the next map.
        if (seen++ % step !== 0 || (ids.length + 1) * dimensions > values.length) continue;
        values.set(embedding, ids.length * dimensions);
        ids.push(id);
        kinds.push(modalities.indexOf(modality));
      }
      if (page.nextCursor === undefined) break;
      after = page.nextCursor;
    }
    values = values.slice(0, ids.length * dimensions);
    const empty: Plane = { points: new Float32Array(0), explained: [0, 0] };
    const plane = ids.length === 0 ? empty : await this.#project({ values, dimensions });
    const shown = { ids, modalities: Uint8Array.from(kinds), total: count };
    const id = randomBytes(9).toString("base64url");
    const map = { id, ...plane, ...shown, centroids: centroidsOf(plane.points, shown.modalities) };
    this.#byId.set(id, map);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > mapsRemembered) this.#byId.delete(oldest);
    return map;
  }

  #project(rows: { values: Float32Array; dimensions: number }): Promise<Plane> {
    if (this.#worker === undefined || this.#worker.ended !== undefined)
      this.#worker = startWorker(new URL("./map-worker.js", import.meta.url));
    const transfer = [rows.values.buffer as ArrayBuffer];
    return this.#worker.call<Plane>("project", rows, { transfer });
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
