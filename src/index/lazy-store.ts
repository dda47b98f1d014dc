import { AppError } from "../errors.js";
import type { VectorStore } from "./vector-store.js";

/** A store that opens itself at its first use, so that what needs no collections neither needs nor locks the data folder. */
export interface LazyStore extends VectorStore {
  /** Opens it now. A failure is the caller's alone: the next use tries again. */
  open(): Promise<void>;
  readonly isOpen: boolean;
}

type Method = Exclude<keyof VectorStore, "scan" | "close">;

export function lazyStore(openStore: () => Promise<VectorStore>): LazyStore {
  let opening: Promise<VectorStore> | undefined;
  let isOpen = false;
  let closed = false;

  const opened = (): Promise<VectorStore> => {
    if (closed) return Promise.reject(new AppError("cancelled", "The server is shutting down"));
    opening ??= openStore().then(
      (store) => {
        isOpen = true;
        return store;
      },
      (error) => {
        opening = undefined;
        throw error;
      },
    );
    return opening;
  };
  const forward = <M extends Method>(method: M) =>
    (async (...args: unknown[]) => {
      const store = await opened();
      return (store[method] as (...args: unknown[]) => unknown)(...args);
    }) as VectorStore[M];

  return {
    async open() {
      await opened();
    },
    get isOpen() {
      return isOpen && !closed;
    },
    createCollection: forward("createCollection"),
    renameCollection: forward("renameCollection"),
    dropCollection: forward("dropCollection"),
    listCollections: forward("listCollections"),
    upsert: forward("upsert"),
    delete: forward("delete"),
    get: forward("get"),
    preview: forward("preview"),
    contentHashes: forward("contentHashes"),
    count: forward("count"),
    search: forward("search"),
    page: forward("page"),
    async *scan(...args) {
      yield* (await opened()).scan(...args);
    },
    stats: forward("stats"),
    means: forward("means"),
    backup: forward("backup"),
    compact: forward("compact"),
    async close() {
      closed = true;
      const store = await opening?.catch(() => undefined);
      await store?.close();
    },
  };
}
