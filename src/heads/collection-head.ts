import type { CollectionStats, JsonObject } from "../index/vector-store.js";
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

/** A copy that will take another collection's place; nobody's until then. In its place it has the other's name. */
export const isBeingBuilt = ({
  name,
  options,
}: Pick<CollectionStats, "name" | "options">): boolean =>
  typeof options.replaces === "string" && options.replaces !== name;

/** The weights of a collection's head, also when another version is active by now. */
export async function headOfCollection(
  heads: Pick<HeadStore, "use">,
  { options }: Pick<CollectionStats, "options">,
): Promise<UsableHead | undefined> {
  const followed = followedHead(options);
  return followed && heads.use(followed.name, followed.version);
}
