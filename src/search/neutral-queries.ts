import type { Query } from "../index/query.js";
import type { CollectionStats, VectorStore } from "../index/vector-store.js";
import { Recent } from "../recent.js";
import { neutralTexts } from "../zero-shot/neutral-texts.js";
import { type Embedded, embedAlong } from "./embed-along.js";
import type { Path } from "./find-path.js";

/** Number of neutral queries: relevance comes in steps of 1 / 128. */
const count = 128;
/** Age at which the neutral queries are repeated, even if no item changed. */
const maxAgeMs = 60_000;
const maxRemembered = 64;
const maxPaths = 16;

/** The reference for a text query's similarities in a collection. */
export interface Relevance {
  /** Share of neutral queries whose best item is less similar than this. */
  of(similarity: number): number;
}

type Settings = Pick<Query, "filter" | "modality" | "recall" | "centering">;

/**
 * Best similarities of neutral texts in collections, under the settings of a query. Cached while
 * the number of items is unchanged, for a minute at most.
 */
export class NeutralQueries {
  readonly #reached = new Recent<Float64Array>(maxRemembered, { maxAgeMs });
  /** The neutral texts along a path: the same under every filter. */
  readonly #embedded = new Recent<Embedded[]>(maxPaths);

  async relevance(
    store: Pick<VectorStore, "search">,
    stats: CollectionStats,
    { path, settings, signal }: { path: Path<"text">; settings: Settings; signal?: AbortSignal },
  ): Promise<Relevance> {
    const { filter, modality, recall, centering } = settings;
    const collection = [stats.name, stats.createdAt, stats.space, stats.count];
    const key = JSON.stringify([
      ...collection,
      path.steps,
      filter,
      modality,
      recall,
      centering !== undefined,
    ]);
    // Not with the signal: others may wait for it
    const best = await this.#reached.get(key, () =>
      this.#reach(store, stats, path, { filter, modality, recall, centering }),
    );
    signal?.throwIfAborted();
    return {
      of: (similarity) => best.filter((reached) => reached < similarity).length / best.length,
    };
  }

  async #reach(
    store: Pick<VectorStore, "search">,
    { name, space, countByModality }: CollectionStats,
    path: Path<"text">,
    settings: Settings,
  ): Promise<Float64Array> {
    const { image = 0, audio = 0 } = countByModality;
    const isSound =
      settings.modality === "audio" || (settings.modality !== "image" && audio > image);
    const embedded = await this.#embed(path, isSound ? "audio" : "image");
    const queries = embedded.map(({ embedding }) => ({ ...settings, embedding, topK: 1 }));
    const found = await store.search(name, queries, { space });
    return Float64Array.from(found, ({ neighbors }) => neighbors[0]?.similarity ?? -1);
  }

  #embed(path: Path<"text">, kind: "audio" | "image"): Promise<Embedded[]> {
    const all = neutralTexts[kind];
    const texts = Array.from(
      { length: count },
      (_, i) => all[Math.floor((i * all.length) / count)],
    );
    // The encoder's space names its weights, the steps the versions of what follows it
    const key = JSON.stringify([path.encoder.space, path.steps, kind]);
    return this.#embedded.get(key, () => embedAlong(path, texts));
  }
}
