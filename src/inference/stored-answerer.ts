import type { Embedding, Modality } from "../encoders/encoder.js";
import { applyHead } from "../encoders/head.js";
import type { Packs } from "../encoders/packs.js";
import { AppError } from "../errors.js";
import { headOfCollection } from "../heads/collection-head.js";
import { pathFrom } from "../heads/head-path.js";
import type { HeadStore } from "../heads/head-store.js";
import { findPack, headedPack } from "../heads/headed-pack.js";
import type { CollectionStats } from "../index/vector-store.js";
import type { Answerer } from "./label-plan.js";

type Parts = { packs: Packs; heads: Pick<HeadStore, "use"> };

/** A stored embedding, with its original if that is kept. */
export interface StoredEmbedding {
  modality: Modality;
  space: string;
  embedding: Embedding;
  original?: { space: string; embedding: Embedding };
}

/**
 * The scorer of a collection's items: the requested model or head, else what they were embedded
 * with.
 * @throws AppError `space_mismatch` when no loaded model's texts are in the collection's space.
 */
export async function answererOfCollection(
  parts: Parts,
  request: { model?: string; head?: string },
  stats: Pick<CollectionStats, "name" | "space" | "options">,
): Promise<Answerer> {
  if (request.model !== undefined || request.head !== undefined)
    return findPack(parts, request, "text");
  const head = await headOfCollection(parts.heads, stats);
  if (head !== undefined) return { pack: headedPack(parts.packs.find(head.model), head), head };
  return { pack: packOfSpace(parts.packs, stats.space, `The collection "${stats.name}"`) };
}

/** @param subject  the message's subject: `The embedding`. */
export function packOfSpace(packs: Packs, space: string, subject: string) {
  const pack = packs.list().find((one) => one.space === space && one.encoders.text !== undefined);
  if (pack !== undefined) return pack;
  const spaces = packs.list().map((one) => one.space);
  const message =
    `${subject} is in the space "${space}", but the loaded models embed texts into: ` +
    `${spaces.join(", ") || "none"}`;
  throw new AppError("space_mismatch", message, { param: "model" });
}

/**
 * The embedding in the answerer's space: as stored, or the projected original.
 * @throws AppError `space_mismatch` when no path leads there.
 */
export function embeddingFor({ pack, head }: Answerer, stored: StoredEmbedding): Embedding {
  const { modality, original } = stored;
  const vectors = [stored, ...(original === undefined ? [] : [original])];
  const same = vectors.find(({ space }) => space === pack.space);
  if (same !== undefined) return same.embedding;
  for (const { space, embedding } of head?.kind === "projection" ? vectors : []) {
    const path = pathFrom(space, modality, head!, []);
    if (path === undefined) continue;
    return path.reduce((vector, projection) => applyHead(projection, [vector])[0], embedding);
  }
  const spaces = [...new Set(vectors.map(({ space }) => space))].join(" and ");
  const message =
    `The embedding is in ${spaces}, but the labels of "${pack.manifest.id}" are in ` +
    `${pack.space}`;
  throw new AppError("space_mismatch", message, { param: "model" });
}
