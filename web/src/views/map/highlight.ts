import { signal } from "@preact/signals";
import { fileNameOf } from "../../media.js";
import { sentenceOf, server } from "../../server.js";
import type { Colouring } from "./colouring.js";
import type { MapData } from "./map-data.js";

/** What stands out on the map: items near a text, or those of one colour. */
export interface Highlighted {
  weights?: Float32Array;
  /** Position in the groups of the colouring. */
  group?: number;
  /** What was found, in a sentence. */
  sentence: string;
}

export const highlighted = signal<Highlighted>({ sentence: "" });

const maxFound = 10_000;
const maxNamed = 3;
let asking = new AbortController();

export function clearHighlight(): void {
  asking.abort();
  highlighted.value = { sentence: "" };
}

/** Lets the points of one colour stand out. */
export function highlightGroup({ groups, groupOf, field }: Colouring, group: number): void {
  asking.abort();
  const weights = Float32Array.from(groupOf, (one) => Number(one === group));
  const { label, count } = groups[group];
  const name = field === undefined ? label : `${field}: ${label}`;
  const sentence = `${name}, ${count.toLocaleString()} of ${groupOf.length.toLocaleString()} items`;
  highlighted.value = { weights, group, sentence };
}

/** Lets the items stand out that are near to a text, the nearest most. */
export async function highlightText(data: MapData, text: string): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    const found = await nearTo(data, text, signal);
    if (!signal.aborted) highlighted.value = found;
  } catch (error) {
    if (!signal.aborted) highlighted.value = { sentence: sentenceOf(error) };
  }
}

async function nearTo(data: MapData, text: string, signal: AbortSignal): Promise<Highlighted> {
  const top_k = Math.min(maxFound, Math.max(1, data.total));
  const query = { text, top_k, centering: data.centroids.length > 1 };
  const { results } = await server.peek().search(data.collection, query, { signal });
  if (results.length === 0) return { sentence: "Nothing was found." };
  const best = results[0].similarity;
  const least = results.at(-1)!.similarity;
  const range = Math.max(1e-6, best - least);
  const weightOf = new Map(
    results.map(({ id, similarity }) => [id, ((similarity - least) / range) ** 2]),
  );
  const names = results.slice(0, maxNamed).map(({ id }) => fileNameOf(id));
  return {
    weights: Float32Array.from(data.ids, (id) => weightOf.get(id) ?? 0),
    sentence: `The stronger a point, the nearer to “${text}”. Nearest: ${names.join(", ")}.`,
  };
}
