import type { VectorStore } from "../index/vector-store.js";
import { followedHead, isBeingBuilt } from "./collection-head.js";

/** A collection whose items went through a version of a head. */
export interface FollowingCollection {
  name: string;
  version: number;
  /** A copy that is being built to take another's place. */
  isCopy: boolean;
}

/** The collections that follow a head. */
export async function collectionsFollowing(
  store: Pick<VectorStore, "listCollections">,
  head: string,
): Promise<FollowingCollection[]> {
  const collections = await store.listCollections();
  return collections.flatMap((stats) => {
    const followed = followedHead(stats.options);
    if (followed?.name !== head) return [];
    return [{ name: stats.name, version: followed.version, isCopy: isBeingBuilt(stats) }];
  });
}
