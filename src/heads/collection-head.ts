import { AppError } from "../errors.js";
import type { JsonObject } from "../index/item.js";
import type { CollectionStats } from "../index/vector-store.js";
import type { HeadStore } from "./head-store.js";
import type { UsableHead } from "./head-version.js";

/** Which version of which head a collection's items went through: a part of its options. */
export interface FollowedHead {
  name: string;
  version: number;
}

export function followedHead({ head }: JsonObject): FollowedHead | undefined {
  if (typeof head !== "object" || head === null || Array.isArray(head)) return undefined;
  const { name, version } = head;
  return typeof name === "string" && typeof version === "number" ? { name, version } : undefined;
}

/**
 * A copy that will take another collection's place; nobody's until then. In its place it has the
 * other's name.
 */
export const isBeingBuilt = ({
  name,
  options,
}: Pick<CollectionStats, "name" | "options">): boolean =>
  typeof options.replaces === "string" && options.replaces !== name;

/**
 * The weights of a collection's head, also when another version is active by now. Ask for them
 * where an input is to be embedded, and only there: what is stored answers without its head.
 * @throws AppError `no_path` when the head is gone, in a data folder that was restored without it
 *   say.
 */
export async function headOfCollection(
  heads: Pick<HeadStore, "use">,
  { name, options }: Pick<CollectionStats, "name" | "options">,
): Promise<UsableHead | undefined> {
  const followed = followedHead(options);
  if (followed === undefined) return undefined;
  try {
    return await heads.use(followed.name, followed.version);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    const version = `version ${followed.version} of the head "${followed.name}"`;
    const folder = `heads/${followed.name}/${followed.version}`;
    const message =
      `The collection "${name}" follows ${version}, which is not here: put "${folder}" back into ` +
      "the data folder and restart. Until then it can be searched by embedding and by item_id";
    throw new AppError("no_path", message, { param: "head", cause: error });
  }
}
