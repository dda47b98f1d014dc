import { signal } from "@preact/signals";
import type { Modality } from "../../../../src/encoders/encoder.js";
import type { CollectionAnswer } from "../../../../src/wire/collections.js";
import { needsKey, sentenceOf, server } from "../../server.js";

export interface Collections {
  state: "loading" | "ready" | "failed";
  list: readonly CollectionAnswer[];
  sentence: string;
}

export const collections = signal<Collections>({ state: "loading", list: [], sentence: "" });

let asked = 0;
let answered = 0;

/** Asks which collections there are and how many items they have. */
export async function refreshCollections(): Promise<void> {
  const asking = ++asked;
  try {
    const { data } = await server.peek().listCollections();
    if (asking < answered) return; // A newer answer was faster
    answered = asking;
    collections.value = { state: "ready", list: data, sentence: "" };
  } catch (error) {
    if (asking < answered || needsKey.peek()) return;
    collections.value = { ...collections.peek(), state: "failed", sentence: sentenceOf(error) };
  }
}

/** Counts out what is hidden here and about to be deleted there. */
export function countOut(name: string, gone: readonly { modality: Modality }[]): void {
  const list = collections.peek().list.map((one) => {
    if (one.name !== name) return one;
    const counts = { ...one.count_by_modality };
    for (const { modality } of gone) counts[modality] = (counts[modality] ?? 0) - 1;
    return { ...one, count: one.count - gone.length, count_by_modality: counts };
  });
  collections.value = { ...collections.peek(), list };
}

export const collectionNamed = (name: string | undefined) =>
  collections.value.list.find((one) => one.name === name);

/** The kinds of items that a collection holds, in the order in which they are shown. */
export const kindsOf = ({ count_by_modality: counts }: CollectionAnswer) =>
  (["image", "audio", "text"] as const).filter((kind) => (counts[kind] ?? 0) > 0);

/**
 * A name for a collection made from a folder or a sentence: letters, digits and what
 * collections may have between them; never one that is taken.
 */
export function freeName(wish: string): string {
  const clean = wish
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "")
    .toLowerCase()
    .slice(0, 60);
  const base = clean === "" ? "collection" : clean;
  const taken = new Set(collections.peek().list.map(({ name }) => name));
  let name = base;
  for (let i = 2; taken.has(name); i++) name = `${base}-${i}`;
  return name;
}
