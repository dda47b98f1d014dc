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

export interface CollectionSides {
  request: Omit<GapRequest, "seed">;
  /** Of each row. */
  ids: { a: string[]; b: string[] };
}

interface Row {
  id: string;
  embedding: Embedding;
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
): Promise<CollectionSides> {
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
  const sides = { a: new Map<string, Row>(), b: new Map<string, Row>() };
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
        sides[side].set(String(value), { id, embedding });
    }
  }
  if (path === undefined)
    return sidesOf([a, [...sides.a.values()]], [b, [...sides.b.values()]], false);
  const values = [...sides.a.keys()].filter((value) => sides.b.has(value));
  if (values.length === 0)
    throw invalidInput(
      "pair_by",
      `No ${a} of the collection "${collection}" has the same "${pairBy}" as a ${b}`,
    );
  const paired = (side: "a" | "b") => values.map((value) => sides[side].get(value) as Row);
  return sidesOf([a, paired("a")], [b, paired("b")], true);
}

type Side = [Modality, readonly Row[]];

function sidesOf([modalityA, a]: Side, [modalityB, b]: Side, paired: boolean): CollectionSides {
  const rows = (side: readonly Row[]) => rowsOf(side.map(({ embedding }) => embedding));
  return {
    request: {
      a: { modality: modalityA, ...rows(a) },
      b: { modality: modalityB, ...rows(b) },
      paired,
    },
    ids: { a: a.map(({ id }) => id), b: b.map(({ id }) => id) },
  };
}
