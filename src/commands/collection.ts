import { ApiError } from "../client/errors.js";
import type { CollectionAnswer } from "../wire/collections.js";
import { CommandError, type Target } from "./target.js";

/**
 * The settings of a new collection: a model, or the space and size of vectors from elsewhere.
 */
export interface NewCollection {
  model?: string;
  head?: string;
  space?: string;
  dimensions?: number;
  fields?: string[];
  /** Thumbnails and waveforms are kept unless this is false. */
  previews?: boolean;
  keepMedia?: boolean;
}

export function createCollection(
  target: Target,
  name: string,
  flags: NewCollection,
): Promise<CollectionAnswer> {
  const { model, head, space, dimensions, fields } = flags;
  const previews = flags.previews === false ? false : undefined;
  const keep_media = flags.keepMedia;
  return target.createCollection({
    name,
    model,
    head,
    space,
    dimensions,
    fields,
    previews,
    keep_media,
  });
}

/**
 * The collection of that name; with `create`, a missing one is created.
 * @throws CommandError that says how to make it when it is missing.
 */
export async function findCollection(
  target: Target,
  name: string,
  create?: NewCollection,
): Promise<CollectionAnswer> {
  try {
    return await target.getCollection(name);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "not_found") throw error;
    if (create !== undefined) return createCollection(target, name, create);
    const how = `create it with --create, or with: crossmodal collections create ${name}`;
    throw new CommandError(`${error.message}; ${how}`, { code: "not_found" });
  }
}
