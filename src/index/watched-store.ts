import type { Changes, VectorStore } from "./vector-store.js";

/** Store -> store: `watch` by following the writes of this process. */
export type WatchedStore<S> = S & Pick<VectorStore, "watch">;

const noChanges = (): Changes => ({ ids: new Set(), byFilter: [] });

interface Watcher {
  changes: Changes;
  replacement?: { ended: Promise<void>; end: () => void };
}

/**
 * Store -> store: a collection can be watched while its replacement is built. All writes of the
 * process go through here, and only one process has the data folder, so no change is missed.
 */
export function watchedStore<S extends Omit<VectorStore, "watch">>(store: S): WatchedStore<S> {
  const watchers = new Map<string, Watcher>();
  const underWay = new Map<string, Set<Promise<unknown>>>();

  const write = async <T>(
    name: string,
    work: (collection: string) => Promise<T>,
    note: (changes: Changes) => void,
  ): Promise<T> => {
    const collection = await store.resolve(name);
    for (
      let replacement = watchers.get(collection)?.replacement;
      replacement !== undefined;
      replacement = watchers.get(collection)?.replacement
    ) {
      await replacement.ended;
    }
    // Recorded at the end, for current watchers; also on failure, since a failed write may have
    // changed something.
    const writing = work(collection).finally(() => {
      const watcher = watchers.get(collection);
      if (watcher !== undefined) note(watcher.changes);
    });
    const pending = underWay.get(collection) ?? new Set();
    underWay.set(collection, pending);
    const ended = writing.then(
      () => {},
      () => {},
    );
    pending.add(ended);
    try {
      return await writing;
    } finally {
      pending.delete(ended);
      if (pending.size === 0 && underWay.get(collection) === pending) underWay.delete(collection);
    }
  };

  const noteIds =
    (items: readonly { id: string }[]) =>
    ({ ids }: Changes) => {
      for (const { id } of items) ids.add(id);
    };
  const overrides: Pick<VectorStore, "upsert" | "patch" | "patchWhere" | "delete" | "watch"> = {
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
    delete: (name, selection) =>
      write(
        name,
        (collection) => store.delete(collection, selection),
        ({ ids, byFilter }) => {
          if ("filter" in selection) byFilter.push({ filter: selection.filter });
          else for (const id of selection.ids) ids.add(id);
        },
      ),
    async watch(collection) {
      const watcher: Watcher = { changes: noChanges() };
      watchers.set(collection, watcher);
      const take = (): Changes => {
        const { changes } = watcher;
        watcher.changes = noChanges();
        return changes;
      };
      const end = () => {
        if (watchers.get(collection) === watcher) watchers.delete(collection);
        watcher.replacement?.end();
      };
      return {
        take: async () => take(),
        async replaceBy(copy, catchUp) {
          const writes = [...(underWay.get(collection) ?? [])];
          let resolveEnded = () => {};
          const ended = new Promise<void>((resolve) => {
            resolveEnded = resolve;
          });
          watcher.replacement = { ended, end: resolveEnded };
          try {
            await Promise.all(writes);
            await catchUp(take());
            await store.renameCollection(copy, collection, { replace: true });
          } finally {
            end();
          }
        },
        end: async () => end(),
      };
    },
  };
  return new Proxy(store, {
    get(target, key) {
      if (Object.hasOwn(overrides, key)) return overrides[key as keyof typeof overrides];
      const value = Reflect.get(target, key, target) as unknown;
      // The store itself, private fields included
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as WatchedStore<S>;
}
