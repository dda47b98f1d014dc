import { signal } from "@preact/signals";
import type { CollectionFields } from "../../../../src/wire/collection-fields.js";
import { sentenceOf, server } from "../../server.js";
import type { MapData } from "./map-data.js";

/** What makes points stand out: nearness to a text, or a value of a field. */
export type Highlight =
  | { kind: "text"; text: string }
  | { kind: "value"; field: string; value: Value };
export type Value = CollectionFields["fields"][number]["values"][number]["value"];

export interface Highlighted {
  weights?: Float32Array;
  /** What was found, in a sentence. */
  sentence: string;
}

export const highlighted = signal<Highlighted>({ sentence: "" });

const maxFound = 10_000;
let asking = new AbortController();

export function clearHighlight(): void {
  asking.abort();
  highlighted.value = { sentence: "" };
}

export async function highlight(data: MapData, what: Highlight): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    const found =
      what.kind === "text"
        ? await nearTo(data, what.text, signal)
        : await withValue(data, what, signal);
    if (!signal.aborted) highlighted.value = found;
  } catch (error) {
    if (!signal.aborted) highlighted.value = { sentence: sentenceOf(error) };
  }
}

async function nearTo(data: MapData, text: string, signal: AbortSignal): Promise<Highlighted> {
  const top_k = Math.min(maxFound, Math.max(1, data.total));
  const asked = { text, top_k, centering: data.centroids.length > 1 };
  const { results } = await server.peek().search(data.collection, asked, { signal });
  const best = results[0]?.similarity ?? 0;
  const least = results.at(-1)?.similarity ?? 0;
  const range = Math.max(1e-6, best - least);
  const weights = weightsOf(
    data,
    new Map(results.map(({ id, similarity }) => [id, ((similarity - least) / range) ** 2])),
  );
  const sentence =
    results.length === 0
      ? "Nothing was found."
      : `The stronger a point, the nearer to “${text}”: ` +
        `cosine ${best.toFixed(3)} to ${least.toFixed(3)}.`;
  return { weights, sentence };
}

async function withValue(
  data: MapData,
  { field, value }: Extract<Highlight, { kind: "value" }>,
  signal: AbortSignal,
): Promise<Highlighted> {
  const equal = { field, op: "eq", value };
  const filter = JSON.stringify(
    value === null ? equal : { or: [equal, { field, op: "contains", value }] },
  );
  const exact = new Map<string, number>();
  for (let after: string | undefined; ; ) {
    const query = { filter, limit: 1000, after };
    const { data: items, next_cursor } = await server
      .peek()
      .listItems(data.collection, query, { signal });
    for (const { id } of items) exact.set(id, 1);
    if (next_cursor === undefined || exact.size >= maxFound) break;
    after = next_cursor;
  }
  const sentence = `${exact.size.toLocaleString()} items with ${field} ${String(value)} stand out.`;
  return { weights: weightsOf(data, exact), sentence };
}

const weightsOf = ({ ids }: MapData, weight: ReadonlyMap<string, number>): Float32Array =>
  Float32Array.from(ids, (id) => weight.get(id) ?? 0);
