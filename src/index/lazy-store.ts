import { AppError } from "../errors.js";
import type { StoreCondition, VectorStore } from "./vector-store.js";

/**
 * A store that opens on first use, so that commands without collections neither need nor lock the
 * data folder.
 */
export interface LazyStore extends VectorStore {
  /** Opens it now. A failure only affects the caller: the next use tries again. */
  open(): Promise<void>;
  readonly isOpen: boolean;
  /** Why it cannot be used at the moment, or failed to open at the last try. */
  readonly trouble: string | undefined;
  /** Operations that currently fail, and why. Does not open it. */
  condition(): Promise<StoreCondition>;
}

type OpenStore = VectorStore & {
  readonly trouble?: string;
  condition?(): Promise<StoreCondition>;
};

export function lazyStore(openStore: () => Promise<OpenStore>): LazyStore {
  let opening: Promise<OpenStore> | undefined;
  let current: OpenStore | undefined;
  let failure: Error | undefined;
  let closed = false;

  const opened = (): Promise<OpenStore> => {
    if (closed) return Promise.reject(new AppError("cancelled", "The server is shutting down"));
    opening ??= openStore().then(
      (store) => {
        current = store;
        failure = undefined;
        return store;
      },
      (error) => {
        opening = undefined;
        failure = error;
        throw error;
      },
    );
    return opening;
  };
  const overrides: Omit<LazyStore, keyof VectorStore> & Pick<VectorStore, "scan" | "close"> = {
    async open() {
      await opened();
    },
    get isOpen() {
      return current !== undefined && !closed;
    },
    get trouble() {
      return closed ? undefined : (failure?.message ?? current?.trouble);
    },
    async condition() {
      return (await current?.condition?.()) ?? {};
    },
    async *scan(...args) {
      yield* (await opened()).scan(...args);
    },
    async close() {
      closed = true;
      const store = await opening?.catch(() => undefined);
      await store?.close();
    },
  };
  return new Proxy(overrides, {
    has: (_, name) => name !== "then",
    get(target, name) {
      if (name in target || name === "then") return Reflect.get(target, name); // not a promise
      return async (...args: unknown[]) => {
        const store = (await opened()) as unknown as Record<PropertyKey, Method>;
        return store[name](...args);
      };
    },
  }) as LazyStore;
}

type Method = (...args: unknown[]) => unknown;
