import { setTimeout } from "node:timers/promises";
import type { LoadedPack } from "../encoders/load.js";
import type { Bridges } from "../heads/bridge-version.js";
import { headOfCollection } from "../heads/collection-head.js";
import type { HeadStore } from "../heads/head-store.js";
import type { VectorStore } from "../index/vector-store.js";
import { rowsOf } from "../math/rows.js";
import { embedAlong } from "../search/embed-along.js";
import { pathInto } from "../search/headed-path.js";
import { everydaySounds, everydayThings } from "../zero-shot/everyday-words.js";
import type { ReferenceBank } from "../zero-shot/reference-bank.js";
import type { CollectionMap, CollectionMaps } from "./collection-maps.js";
import type { Region } from "./dense-regions.js";

interface NamedRegion extends Region {
  text: string;
  /** Of the word and what sets the region apart. */
  cosine: number;
}

export interface NamingParts {
  store: Pick<VectorStore, "stats">;
  packs: { list(): readonly LoadedPack[] };
  bridges: Bridges;
  heads: Pick<HeadStore, "use">;
  referenceBank: ReferenceBank;
  maps: CollectionMaps;
}

/** A smaller cosine says little about a region. */
const minCosine = 0.2;
const atOnce = 64;
/** Changes with the words. */
const wordsVersion = 1;
const templates = {
  image: (word: string) => `a photo of ${word}`,
  audio: (word: string) => `the sound of ${word}`,
  text: (word: string) => word,
};

interface RegionNames {
  names: NamedRegion[];
  /** Share of the words that are embedded; there are no names before it is 1. */
  progress: number;
}

/** Share of the words that are embedded, of each space whose words are under way. */
const underWay = new Map<string, number>();

/**
 * Names of a map's regions: the nearest everyday words in the collection's space. Their embeddings
 * are kept in the data folder; the first time they take from a second to minutes, by the model.
 *
 * @param maxWaitMs  after which the answer is how many of the words are embedded.
 * @throws AppError as `pathInto` when no loaded model embeds texts into the space.
 */
export async function nameRegions(
  parts: NamingParts,
  map: CollectionMap,
  maxWaitMs: number,
): Promise<RegionNames> {
  const { packs, bridges, heads, referenceBank, maps, store } = parts;
  if (map.regions.length === 0) return { names: [], progress: 1 };
  const stats = await store.stats(map.collection);
  const { name, space, options } = stats;
  const model = options.model as string | undefined;
  const target = { name, space, model, head: await headOfCollection(heads, stats) };
  const found = { packs: packs.list(), bridges: bridges.active() };
  const path = pathInto(found, "text", target);
  const [largest] = [...map.centroids].sort((a, b) => b.count - a.count);
  const { modality } = largest;
  const words = [
    ...(modality === "audio" ? [] : everydayThings),
    ...(modality === "image" ? [] : everydaySounds),
  ];
  const key = ["everyday", String(wordsVersion), modality, space, ...path.steps];
  const id = JSON.stringify(key);
  const remembered = referenceBank.remembered(key, async () => {
    const sentences = words.map(templates[modality]);
    const embeddings: Float32Array[] = [];
    try {
      for (let from = 0; from < sentences.length; from += atOnce) {
        underWay.set(id, from / sentences.length);
        for (const { embedding } of await embedAlong(path, sentences.slice(from, from + atOnce)))
          embeddings.push(embedding);
      }
    } finally {
      underWay.delete(id);
    }
    return rowsOf(embeddings);
  });
  const waited = new AbortController();
  const tooLong = setTimeout(maxWaitMs, undefined, { signal: waited.signal, ref: false });
  const rows = await Promise.race([remembered, tooLong]).finally(() => waited.abort());
  if (rows === undefined) return { names: [], progress: underWay.get(id) ?? 0 };
  const nearest = await maps.nearestWords(map, rows);
  const names = map.regions.flatMap((region, i) => {
    const [word, cosine] = [nearest.words[i], nearest.cosines[i]];
    return cosine < minCosine ? [] : [{ ...region, text: words[word], cosine }];
  });
  return { names, progress: 1 };
}
