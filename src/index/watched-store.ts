import type { Filter } from "./filter.js";
import type { VectorStore } from "./vector-store.js";

/**
 * What was written to a collection since the last look. Filters were deleted by before the ids were
 * looked at again.
 */
export interface Changes {
  ids: Set<string>;
  deleted: Filter[];
}

/** Follows the writes to one collection, for whoever builds a copy of it. */
export interface Watch {
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
    collection: string,
    work: () => Promise<T>,
    note: (changes: Changes) => void,
  ): Promise<T> => {
    for (
      let held = watchers.get(collection)?.held;
      held !== undefined;
      held = watchers.get(collection)?.held
    ) {
      await held.ended;
    }
    // Noted at the end, for whoever watches by then; also when it fails, as what a failed write has
    // changed is not known.
    const writing = work().finally(() => {
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

  const own: Pick<WatchedStore<VectorStore>, "upsert" | "delete" | "watch"> = {
    upsert: (collection, items, options) =>
      write(
        collection,
        () => store.upsert(collection, items, options),
        ({ ids }) => {
          for (const { id } of items) ids.add(id);
        },
      ),
    delete: (collection, what) =>
      write(
        collection,
        () => store.delete(collection, what),
        ({ ids, deleted }) => {
          if ("filter" in what) deleted.push(what.filter);
          else for (const id of what.ids) ids.add(id);
        },
      ),
    watch(collection) {
      const watcher: Watcher = { changes: { ids: new Set(), deleted: [] } };
      watchers.set(collection, watcher);
      return {
        take() {
          const { changes } = watcher;
          watcher.changes = { ids: new Set(), deleted: [] };
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
