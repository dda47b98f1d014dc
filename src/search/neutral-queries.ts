import type { Query } from "../index/query.js";
import type { CollectionStats, VectorStore } from "../index/vector-store.js";
import { Recent } from "../recent.js";
import { neutralTexts } from "../zero-shot/neutral-texts.js";
import { embedAlong } from "./embed-along.js";
import type { Path } from "./find-path.js";

/** Neutral texts that are searched for: relevance comes in steps of 1 / 128. */
const count = 128;
/** As old as this, what neutral queries reach is asked again, also when no item came or went. */
const maxAgeMs = 60_000;
const maxRemembered = 64;

/** What the similarities of a text query in a collection are compared with. */
export interface Relevance {
  /** Share of neutral queries whose best item is less similar than this. */
  of(similarity: number): number;
}

type Settings = Pick<Query, "filter" | "modality" | "recall" | "centering">;

/**
 * What neutral texts reach in collections: the similarity of each one's best item, under the
 * settings of a query. Kept while the collection has as many items, for a minute at most.
 */
export class NeutralQueries {
  readonly #reached = new Recent<Float64Array>(maxRemembered, { maxAgeMs });

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
      reach(store, stats, path, { filter, modality, recall, centering }),
    );
    signal?.throwIfAborted();
    return {
      of: (similarity) => best.filter((reached) => reached < similarity).length / best.length,
    };
  }
}

async function reach(
  store: Pick<VectorStore, "search">,
  { name, space, countByModality }: CollectionStats,
  path: Path<"text">,
  settings: Settings,
): Promise<Float64Array> {
  const { image = 0, audio = 0 } = countByModality;
  const isSound = settings.modality === "audio" || (settings.modality !== "image" && audio > image);
  const all = neutralTexts[isSound ? "audio" : "image"];
  const texts = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);
  const embedded = await embedAlong(path, texts);
  const queries = embedded.map(({ embedding }) => ({ ...settings, embedding, topK: 1 }));
  const found = await store.search(name, queries, { space });
  return Float64Array.from(found, ({ neighbors }) => neighbors[0]?.similarity ?? -1);
}
