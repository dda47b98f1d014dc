import type { Encoder, Modality } from "../encoders/encoder.js";
import type { ProjectionHead } from "../encoders/head.js";
import type { LoadedPack } from "../encoders/load.js";
import { AppError } from "../errors.js";
import type { Bridge } from "../heads/bridge-version.js";

/** How an input of one modality becomes an embedding in the searched space. */
export interface Path<M extends Modality = Modality> {
  encoder: Encoder<M>;
  /** Applied to the encoder's output, in order; the last one leads into the space. */
  projections: readonly ProjectionHead[];
  /** As in answers: `["starter-clap/audio", "bridge/starter-clap-to-starter-clip@1"]`. */
  steps: readonly string[];
  /**
   * Whether to keep the encoder's output beside the embedding even if nothing is applied to it.
   */
  keepsOriginal?: boolean;
}

/** The target of a path. */
export interface Target {
  /** The collection's name, for messages. */
  name: string;
  space: string;
  /** The model that the collection was made for; none for custom vectors. */
  model?: string;
}

export interface PathParts {
  packs: readonly LoadedPack[];
  bridges: readonly Bridge[];
}

/**
 * The shortest path from a modality into a collection's space: a tower of a model that embeds into
 * it, else a tower of another model and one bridge. Two bridges in a row would lose too much.
 *
 * @throws AppError `space_mismatch` when no loaded model and no bridge reaches the space at all,
 *   `no_path` when none does from this modality; the message says what would help.
 */
export function findPath<M extends Modality>(
  parts: PathParts,
  modality: M,
  target: Target,
): Path<M> {
  const from = (pack: LoadedPack) => pack.encoders[modality] as Encoder<M> | undefined;
  const stepOf = (pack: LoadedPack) => `${pack.manifest.id}/${modality}`;
  for (const pack of parts.packs) {
    const encoder = from(pack);
    if (pack.space === target.space && encoder !== undefined)
      return { encoder, projections: [], steps: [stepOf(pack)] };
  }
  for (const bridge of parts.bridges) {
    if (bridge.toSpace !== target.space) continue;
    for (const pack of parts.packs) {
      const encoder = from(pack);
      if (pack.space !== bridge.fromSpace || encoder === undefined) continue;
      const steps = [stepOf(pack), `bridge/${bridge.name}@${bridge.version}`];
      return { encoder, projections: [bridge.head], steps };
    }
  }
  throw unreachable(parts, modality, target);
}

function unreachable(
  { packs, bridges }: PathParts,
  modality: Modality,
  { name, space, model }: Target,
): AppError {
  const target = packs.find((pack) => pack.space === space);
  const start = packs.find(({ encoders }) => encoders[modality] !== undefined);
  const reached = target !== undefined || bridges.some(({ toSpace }) => toSpace === space);
  if (!reached) {
    const spaces = packs.map((pack) => pack.space).join(", ") || "none";
    const from = model === undefined ? "" : ` of the model "${model}"`;
    const isLoaded = packs.some(({ manifest }) => manifest.id === model);
    const load = model === undefined || isLoaded ? "" : " Load it with POST /v1/models.";
    const message =
      `The collection "${name}" is in the space "${space}"${from}, but the loaded models embed ` +
      `into: ${spaces}.${load} Without a model of that space it takes embeddings, and is ` +
      "searched by embedding or item_id";
    return new AppError("space_mismatch", message, { param: modality });
  }
  const noPath = `No path from ${modality} to the collection "${name}" (space "${space}")`;
  if (start === undefined) {
    return new AppError(
      "no_path",
      `${noPath}: no loaded model understands ${modality}; load one that does`,
      {
        param: modality,
      },
    );
  }
  const to = target?.manifest.id ?? space;
  const help =
    `train a bridge from "${start.manifest.id}" to "${to}" (POST /v1/bridges), or load a model ` +
    `of that space that understands ${modality}`;
  return new AppError("no_path", `${noPath}: ${help}`, { param: modality });
}
