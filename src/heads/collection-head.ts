import { AppError } from "../errors.js";
import type { JsonObject } from "../index/item.js";
import type { CollectionStats } from "../index/vector-store.js";
import type { UsableHead } from "./head-version.js";

/** The head version that a collection's items went through; part of its options. */
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
 * A copy that will replace another collection, hidden until then. It then takes the other's name.
 */
export const isBeingBuilt = ({
  name,
  options,
}: Pick<CollectionStats, "name" | "options">): boolean =>
  typeof options.replaces === "string" && options.replaces !== name;

/**
 * The weights of a collection's head, even when another version is active by now. Needed only to
 * embed inputs: stored items answer without the head.
 * @throws AppError `no_path` when the head is missing, for example in a data folder restored
 *   without it.
 */
export async function headOfCollection(
  heads: { use(name: string, version: number): Promise<UsableHead> },
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
      `The collection "${name}" follows ${version}, which is missing: put "${folder}" back into ` +
      "the data folder and restart. Until then it can be searched by embedding and by item_id";
    throw new AppError("no_path", message, { param: "head", cause: error });
  }
}
