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

export interface NamedRegion extends Region {
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

/** Less says little about a region. */
const minCosine = 0.2;
const atOnce = 64;
/** Changes with the words. */
const wordsVersion = 1;
const templates = {
  image: (word: string) => `a photo of ${word}`,
  audio: (word: string) => `the sound of ${word}`,
  text: (word: string) => word,
};

/**
 * Names of a map's regions: the nearest everyday words in the collection's space. Their embeddings
 * are kept in the data folder.
 *
 * @throws AppError as `pathInto` when no loaded model embeds texts into the space.
 */
export async function nameRegions(parts: NamingParts, map: CollectionMap): Promise<NamedRegion[]> {
  const { packs, bridges, heads, referenceBank, maps, store } = parts;
  if (map.regions.length === 0) return [];
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
  const rows = await referenceBank.remembered(key, async () => {
    const sentences = words.map(templates[modality]);
    const embeddings: Float32Array[] = [];
    for (let from = 0; from < sentences.length; from += atOnce)
      for (const { embedding } of await embedAlong(path, sentences.slice(from, from + atOnce)))
        embeddings.push(embedding);
    return rowsOf(embeddings);
  });
  const nearest = await maps.nearestWords(map, rows);
  return map.regions.flatMap((region, i) => {
    const [word, cosine] = [nearest.words[i], nearest.cosines[i]];
    return cosine < minCosine ? [] : [{ ...region, text: words[word], cosine }];
  });
}
