import type { Modality } from "../encoders/encoder.js";
import { AppError, invalidInput } from "../errors.js";
import { findPack } from "../heads/headed-pack.js";
import { checkEmbedding } from "../index/check-item.js";
import type { Scorable } from "../inference/classify-contents.js";
import type { Answerer } from "../inference/label-plan.js";
import { answererOfCollection, embeddingFor, packOfSpace } from "../inference/stored-answerer.js";
import type { Services } from "../services.js";
import type { ZeroShotInput } from "../wire/zero-shot.js";
import { embeddingOf } from "./embedding-field.js";
import { mediaMaker } from "./media-content.js";

/** The sources of an input. */
export const contentNames = [
  "image",
  "audio",
  "text",
  "item_id",
  "embedding",
  "embedding_base64",
] as const;

/** @throws AppError `invalid_input` unless there is one content with its fields. */
export function checkContent(input: ZeroShotInput): void {
  const present = contentNames.filter((name) => input[name] !== undefined);
  if (present.length !== 1) {
    const received = present.length === 0 ? "none" : present.join(" and ");
    throw invalidInput(
      present[1] ?? "image",
      'Expected one of "image", "audio", "text", "item_id" and "embedding" ' +
        `but received ${received}`,
    );
  }
  const isItem = present[0] === "item_id";
  if (isItem !== (input.collection !== undefined))
    throw invalidInput("collection", 'Expected "item_id" and "collection" together');
  const isEmbedding = present[0].startsWith("embedding");
  if (isEmbedding !== (input.modality !== undefined))
    throw invalidInput("modality", 'Expected "modality" beside an embedding, and only there');
  if (!isEmbedding && input.space !== undefined)
    throw invalidInput("space", '"space" belongs to an embedding');
}

type Parts = Pick<Services, "packs" | "heads" | "store" | "fetchMedia" | "config">;

/**
 * The answering model or head: the requested one; else that of the first stored item or embedding;
 * else the first model that understands all inputs.
 */
export async function answererOf(
  parts: Parts,
  request: { model?: string; head?: string },
  inputs: readonly ZeroShotInput[],
): Promise<Answerer> {
  const modalities = new Set(
    inputs.flatMap((input) =>
      (["image", "audio", "text"] as const).filter((name) => input[name] !== undefined),
    ),
  );
  if (request.model === undefined && request.head === undefined) {
    const collection = inputs.find((input) => input.collection !== undefined)?.collection;
    if (collection !== undefined)
      return answererOfCollection(parts, {}, await parts.store.stats(collection));
    const space = inputs.find((input) => input.space !== undefined)?.space;
    if (space !== undefined) return { pack: packOfSpace(parts.packs, space, "The embedding") };
  }
  return findPack(parts, request, ...modalities, "text");
}

/** An input for scoring. */
export async function scorableOf(
  parts: Parts,
  answerer: Answerer,
  input: ZeroShotInput,
  signal: AbortSignal,
): Promise<Scorable> {
  const { text, item_id: id, collection, modality, space } = input;
  if (text !== undefined || input.image !== undefined || input.audio !== undefined) {
    const kind = text !== undefined ? "text" : input.image !== undefined ? "image" : "audio";
    checkUnderstands(answerer, kind);
    if (text !== undefined) return { modality: "text", text };
    const media = kind as "image" | "audio";
    return mediaMaker(parts, signal)(input[media]!, media, media);
  }
  if (id !== undefined && collection !== undefined) {
    const stats = await parts.store.stats(collection);
    const [item] = await parts.store.get(collection, [id]);
    if (item === undefined) {
      const message = `There is no item "${id}" in the collection "${collection}"`;
      throw new AppError("not_found", message, { param: "item_id" });
    }
    const stored = { ...item, space: stats.space };
    return { modality: item.modality, embedding: embeddingFor(answerer, stored) };
  }
  const embedding = embeddingOf(input)!;
  const { pack, head } = answerer;
  const vector = { modality: modality!, space: space ?? pack.space, embedding };
  if (vector.space === pack.space) checkEmbedding(embedding, pack.manifest.dimensions, "embedding");
  else checkEmbedding(embedding, undefined, "embedding");
  return { modality: vector.modality, embedding: embeddingFor({ pack, head }, vector) };
}

/** If the answerer follows from a stored item, it may not understand other inputs. */
function checkUnderstands({ pack }: Answerer, modality: Modality): void {
  if (pack.encoders[modality] !== undefined) return;
  const message = `The model "${pack.manifest.id}" does not understand ${modality}`;
  throw invalidInput(modality, message);
}
