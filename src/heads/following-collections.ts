import { AppError } from "../errors.js";
import type { VectorStore } from "../index/vector-store.js";
import { followedHead, isBeingBuilt } from "./collection-head.js";

/** What a head store needs to know about collections. */
export interface Followers {
  /** Names of the collections whose items were embedded with the head, or that version of it. */
  usedBy(name: string, version?: number): Promise<string[]>;
  /** Called after a version was activated. @returns ids of the jobs that this started. */
  onActivated(name: string, active: number | undefined): Promise<string[]>;
}

/** A collection whose items went through a version of a head. */
interface FollowingCollection {
  name: string;
  version: number;
  /** A copy that is being built to take another's place. */
  isCopy: boolean;
}

/**
 * @param rebuild  starts to re-embed a collection under the active version of its head. @returns
 *   the job.
 */
export function collectionsOfHeads(
  store: Pick<VectorStore, "listCollections">,
  rebuild: (collection: string) => Promise<{ id: string }>,
): Followers {
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

/** @throws AppError `conflict` while collections follow a head, or that version of it. */
export async function refuseInUse(
  followers: Partial<Followers>,
  name: string,
  version?: number,
): Promise<void> {
  const users = (await followers.usedBy?.(name, version)) ?? [];
  if (users.length === 0) return;
  const subject =
    version === undefined ? `The head "${name}"` : `Version ${version} of the head "${name}"`;
  const plural = users.length === 1 ? "" : "s";
  const message = `${subject} is used by the collection${plural} ${users.join(", ")}`;
  throw new AppError("conflict", message, { param: "name" });
}
