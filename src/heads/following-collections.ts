import type { VectorStore } from "../index/vector-store.js";
import { followedHead, isBeingBuilt } from "./collection-head.js";
import type { HeadStoreOptions } from "./head-store.js";

/** A collection whose items went through a version of a head. */
interface FollowingCollection {
  name: string;
  version: number;
  /** A copy that is being built to take another's place. */
  isCopy: boolean;
}

/**
 * What a head store needs to know about collections.
 * @param rebuild  starts to re-embed a collection under the active version of its head. @returns
 *   the job.
 */
export function collectionsOfHeads(
  store: Pick<VectorStore, "listCollections">,
  rebuild: (collection: string) => Promise<{ id: string }>,
): Required<Pick<HeadStoreOptions, "usedBy" | "onActivated">> {
  return {
    usedBy: async (head, version) =>
      (await collectionsFollowing(store, head))
        .filter((following) => version === undefined || following.version === version)
        .map((following) => following.name),
    onActivated: async (head, active) => {
      const jobs = (await collectionsFollowing(store, head))
        .filter((following) => following.version !== active && !following.isCopy)
        .map((following) => rebuild(following.name));
      return (await Promise.all(jobs)).map(({ id }) => id);
    },
  };
}

/** The collections that follow a head. */
async function collectionsFollowing(
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
