import { z } from "zod";
import { AppError } from "../errors.js";
import type { VectorStore } from "../index/vector-store.js";
import type { JobData, JobKind } from "../jobs/job.js";
import { startWorker } from "../workers/start-worker.js";
import { type CollectionMaps, maxPoints } from "./collection-maps.js";
import { readMapItems } from "./map-items.js";
import type { UmapProgress, UmapRequest } from "./umap-worker.js";

/** The input of a map job. */
export const MapInput = z.object({
  collection: z.string(),
  seed: z.int(),
  neighbors: z.int(),
  minDistance: z.number(),
});
export type MapInput = z.infer<typeof MapInput>;

export interface MapJobServices {
  store: VectorStore;
  maps: CollectionMaps;
}

const minItems = 4;

/** `map`: lays a collection out by UMAP, and keeps the layout. */
export function mapJob({ store, maps }: MapJobServices): JobKind {
  return {
    lane: "map",
    async run(input, { signal, report }): Promise<JobData> {
      const { collection, seed, neighbors, minDistance } = MapInput.parse(input);
      const stats = await store.stats(collection);
      report(0, { stage: "reading items", collection: stats.name });
      const { ids, rows, digest } = await readMapItems(store, stats, maxPoints.umap);
      if (ids.length < minItems) {
        const message = `Expected at least ${minItems} items but "${collection}" has ${ids.length}`;
        throw new AppError("invalid_input", message, { param: "collection" });
      }
      signal.throwIfAborted();
      const { points: start } = await maps.project(structuredClone(rows));
      const request: UmapRequest = {
        rows,
        start,
        seed,
        neighbors: Math.min(neighbors, ids.length - 1),
        minDistance,
      };
      const points = await laidOut(request, signal, ({ stage, share }) =>
        report(share, { stage, collection: stats.name, items: ids.length }),
      );
      const all = await store.listCollections();
      const names = all.map(({ name }) => name);
      await maps.layouts.write(stats, { ids, points, digest }, names);
      maps.forget(stats.name);
      return { collection: stats.name, items: ids.length, seed };
    },
  };
}

/** In a thread of its own, without native code, which may be terminated at any time. */
async function laidOut(
  request: UmapRequest,
  signal: AbortSignal,
  onProgress: (progress: UmapProgress) => void,
): Promise<Float32Array> {
  signal.throwIfAborted();
  const thread = startWorker(new URL("./umap-worker.js", import.meta.url));
  const end = () => void thread.terminate();
  signal.addEventListener("abort", end, { once: true });
  try {
    return await thread.call<Float32Array>("layOut", request, {
      transfer: [request.rows.values.buffer as ArrayBuffer],
      onProgress: (progress) => onProgress(progress as UmapProgress),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", end);
    await thread.terminate();
  }
}
