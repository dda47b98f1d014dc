import { signal } from "@preact/signals";
import type { Modality } from "../../../../src/encoders/encoder.js";
import type { GapAnswer } from "../../../../src/wire/gap.js";
import { navigate, route } from "../../router.js";
import { returns, sentenceOf, server } from "../../server.js";
import { collectionNamed, kindsOf, refreshCollections } from "../search/collections.js";

/** Two sides: a collection's, or two .npy files. */
export type Source =
  | { collection: string; pairBy: string; sides?: readonly [Modality, Modality] }
  | { a: File; b: File; aModality: "image" | "audio"; paired: boolean };

export interface Measured {
  state: "working" | "done" | "failed";
  source: Source;
  report?: GapAnswer;
  sentence: string;
}

export const measured = signal<Measured>();

export async function measure(wanted: Source): Promise<void> {
  measured.value = { state: "working", source: wanted, sentence: "" };
  const source =
    "collection" in wanted
      ? { ...wanted, sides: wanted.sides ?? (await defaultSides(wanted.collection)) }
      : wanted;
  if (measured.peek()?.source !== wanted) return;
  measured.value = { state: "working", source, sentence: "" };
  if ("collection" in source) {
    const params = { pairs: source.pairBy };
    navigate("gap", [source.collection], { params, replace: true });
  } else navigate("gap", [], { replace: true });
  try {
    const report = await server.peek().modalityGap(requestOf(source));
    if (measured.peek()?.source === source)
      measured.value = { state: "done", source, report, sentence: "" };
  } catch (error) {
    if (measured.peek()?.source === source)
      measured.value = { state: "failed", source, sentence: sentenceOf(error) };
  }
}

/** Of three kinds, the two with the most items; with two the server needs no choice. */
async function defaultSides(name: string): Promise<readonly [Modality, Modality] | undefined> {
  if (collectionNamed(name) === undefined) await refreshCollections();
  const collection = collectionNamed(name);
  if (collection === undefined) return undefined;
  const kinds = kindsOf(collection);
  if (kinds.length < 3) return undefined;
  const counts = collection.count_by_modality;
  const least = [...kinds].sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0))[0];
  const [a, b] = kinds.filter((kind) => kind !== least);
  return [a, b];
}

function requestOf(source: Source) {
  if ("collection" in source)
    return {
      collection: source.collection,
      pair_by: source.pairBy || undefined,
      a_modality: source.sides?.[0],
      b_modality: source.sides?.[1],
    };
  const { a, b, aModality, paired } = source;
  return { a, b, a_modality: aModality, b_modality: "text" as const, paired };
}

/**
 * What failed is measured again once a key was entered or the server is back.
 * @returns how to stop.
 */
export const retryMeasuring = (): (() => void) =>
  returns.subscribe(() => {
    const { state, source } = measured.peek() ?? {};
    if (state === "failed" && source !== undefined) void measure(source);
  });

/** Measures what the address names, unless that was already done. */
export function restore(): void {
  const [collection] = route.peek().path;
  const now = measured.peek()?.source;
  if (collection === undefined || (now && "collection" in now && now.collection === collection))
    return;
  void measure({ collection, pairBy: route.peek().params.get("pairs") ?? "" });
}
