import type { VectorStore } from "../index/vector-store.js";
import type { KeptMedia } from "./kept-media.js";

/** Store -> store: a write that leaves kept media without an item has them removed. */
export function withKeptMedia<S extends VectorStore>(
  store: S,
  media: Pick<KeptMedia, "removeReleased">,
): S {
  const afterwards = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work;
    await media.removeReleased();
    return result;
  };
  const overrides: Pick<VectorStore, "upsert" | "delete" | "dropCollection" | "renameCollection"> =
    {
      async upsert(...args) {
        const statuses = await store.upsert(...args);
        const replaces = statuses.some((one) => one.status === "stored" && one.replaced);
        if (replaces) await media.removeReleased();
        return statuses;
      },
      delete: (...args) => afterwards(store.delete(...args)),
      dropCollection: (...args) => afterwards(store.dropCollection(...args)),
      renameCollection: (...args) => afterwards(store.renameCollection(...args)),
    };
  return new Proxy(store, {
    get: (target, key) =>
      Object.hasOwn(overrides, key)
        ? overrides[key as keyof typeof overrides]
        : Reflect.get(target, key, target),
  });
}
