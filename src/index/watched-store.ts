import type { Filter } from "./filter.js";
import type { ItemPatch } from "./item.js";
import type { VectorStore } from "./vector-store.js";

/**
 * What was written to a collection since the last look. What was done by filter comes before the
 * ids are looked at again.
 */
export interface Changes {
  ids: Set<string>;
  /** In order: items were deleted, or with a patch got other metadata. */
  byFilter: { filter: Filter; patch?: Omit<ItemPatch, "id"> }[];
}

/** Follows the writes to one collection, for whoever builds a copy of it. */
interface Watch {
  /** The changes since the last call; those of writes that have ended. */
  take(): Changes;
  /** Lets the writes under way end and holds back those that come, until `release`. */
  hold(): Promise<void>;
  release(): void;
}

export type WatchedStore<S extends VectorStore> = S & { watch(collection: string): Watch };

interface Watcher {
  changes: Changes;
  held?: { ended: Promise<void>; end: () => void };
}

/**
 * Store -> store: a collection can be watched while a copy of it is built that is to take its
 * place. All writes of the process go through here, and only one process has the data folder: no
 * change is missed.
 */
export function watchedStore<S extends VectorStore>(store: S): WatchedStore<S> {
  const watchers = new Map<string, Watcher>();
  const underWay = new Map<string, Set<Promise<unknown>>>();

  const write = async <T>(
    name: string,
    work: (collection: string) => Promise<T>,
    note: (changes: Changes) => void,
  ): Promise<T> => {
    const collection = await store.resolve(name);
    for (
      let held = watchers.get(collection)?.held;
      held !== undefined;
      held = watchers.get(collection)?.held
    ) {
      await held.ended;
    }
    // Noted at the end, for whoever watches by then; also when it fails, as what a failed write has
    // changed is not known.
    const writing = work(collection).finally(() => {
      const watcher = watchers.get(collection);
      if (watcher !== undefined) note(watcher.changes);
    });
    const own = underWay.get(collection) ?? new Set();
    underWay.set(collection, own);
    const settled = writing.then(
      () => {},
      () => {},
    );
    own.add(settled);
    try {
      return await writing;
    } finally {
      own.delete(settled);
      if (own.size === 0 && underWay.get(collection) === own) underWay.delete(collection);
    }
  };

  const noteIds =
    (items: readonly { id: string }[]) =>
    ({ ids }: Changes) => {
      for (const { id } of items) ids.add(id);
    };
  const own: Pick<
    WatchedStore<VectorStore>,
    "upsert" | "patch" | "patchWhere" | "delete" | "watch"
  > = {
    upsert: (name, items, options) =>
      write(name, (collection) => store.upsert(collection, items, options), noteIds(items)),
    patch: (name, items) =>
      write(name, (collection) => store.patch(collection, items), noteIds(items)),
    patchWhere: (name, filter, patch) =>
      write(
        name,
        (collection) => store.patchWhere(collection, filter, patch),
        ({ byFilter }) => byFilter.push({ filter, patch }),
      ),
    delete: (name, what) =>
      write(
        name,
        (collection) => store.delete(collection, what),
        ({ ids, byFilter }) => {
          if ("filter" in what) byFilter.push({ filter: what.filter });
          else for (const id of what.ids) ids.add(id);
        },
      ),
    watch(collection) {
      const watcher: Watcher = { changes: { ids: new Set(), byFilter: [] } };
      watchers.set(collection, watcher);
      return {
        take() {
          const { changes } = watcher;
          watcher.changes = { ids: new Set(), byFilter: [] };
          return changes;
        },
        async hold() {
          const writes = [...(underWay.get(collection) ?? [])];
          let end = () => {};
          const ended = new Promise<void>((resolve) => {
            end = resolve;
          });
          watcher.held = { ended, end };
          await Promise.all(writes);
        },
        release() {
          if (watchers.get(collection) === watcher) watchers.delete(collection);
          watcher.held?.end();
        },
      };
    },
  };
  return new Proxy(store, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key as keyof typeof own];
      const value = Reflect.get(target, key, target) as unknown;
      // The store's own, private fields and all
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as WatchedStore<S>;
}
