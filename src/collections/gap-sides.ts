import type { Embedding, Modality } from "../encoders/encoder.js";
import { AppError, invalidInput } from "../errors.js";
import { lookUp } from "../index/match-filter.js";
import type { VectorStore } from "../index/vector-store.js";
import { rowsOf } from "../math/rows.js";
import type { GapRequest } from "../training/measure-gap.js";

/** Items of a side at most, as for uploaded arrays. */
const maxItems = 100_000;

export interface GapChoice {
  /** Metadata field (`pair_id` or `metadata.pair_id`) whose equal values make a pair. */
  pairBy?: string;
  /** Which two modalities, for a collection with more than two. */
  modalities?: readonly Modality[];
}

/**
 * The vectors of a collection's two modalities, as searches see them. With `pairBy`, the first item
 * of each value and modality is used, and values missing on one side are skipped.
 *
 * @throws AppError `invalid_input` when there are not two modalities, or no pairs; `too_large`;
 *   `conflict` when the collection is replaced meanwhile.
 */
export async function gapSides(
  store: VectorStore,
  collection: string,
  { pairBy, modalities }: GapChoice,
  signal?: AbortSignal,
): Promise<Omit<GapRequest, "seed">> {
  const { space, countByModality } = await store.stats(collection);
  const present = (["image", "audio", "text"] as const).filter(
    (modality) => (countByModality[modality] ?? 0) > 0,
  );
  const [a, b, other] = modalities ?? present;
  const counts =
    present.map((modality) => `${countByModality[modality]} ${modality}`).join(", ") || "no items";
  if (
    a === undefined ||
    b === undefined ||
    other !== undefined ||
    a === b ||
    ![a, b].every((side) => present.includes(side))
  ) {
    const message =
      `A gap is between two modalities; the collection "${collection}" has ${counts}. Choose ` +
      'with "a_modality" and "b_modality"';
    throw invalidInput(modalities === undefined ? "collection" : "a_modality", message);
  }
  const sides = { a: new Map<string, Embedding>(), b: new Map<string, Embedding>() };
  const path = pairBy?.replace(/^metadata\./, "");
  for (const [side, modality] of [["a", a] as const, ["b", b] as const]) {
    if ((countByModality[modality] ?? 0) > maxItems) {
      const message =
        `Expected at most ${maxItems} items of a modality but the collection "${collection}" ` +
        `has ${counts}`;
      throw new AppError("too_large", message, { param: "collection" });
    }
    for await (const { id, embedding, metadata } of store.scan(collection, { modality, space })) {
      signal?.throwIfAborted();
      const value = path === undefined ? id : lookUp(metadata, path);
      if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
        continue;
      if (path === undefined || !sides[side].has(String(value)))
        sides[side].set(String(value), embedding);
    }
  }
  if (path === undefined) {
    return {
      a: { modality: a, ...rowsOf([...sides.a.values()]) },
      b: { modality: b, ...rowsOf([...sides.b.values()]) },
      paired: false,
    };
  }
  const values = [...sides.a.keys()].filter((value) => sides.b.has(value));
  if (values.length === 0)
    throw invalidInput(
      "pair_by",
      `No ${a} of the collection "${collection}" has the same "${pairBy}" as a ${b}`,
    );
  return {
    a: { modality: a, ...rowsOf(values.map((value) => sides.a.get(value) as Embedding)) },
    b: { modality: b, ...rowsOf(values.map((value) => sides.b.get(value) as Embedding)) },
    paired: true,
  };
}
