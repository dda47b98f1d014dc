import type { JsonObject } from "../item.js";
import type { CollectionSpec } from "../vector-store.js";
import type { CollectionRows } from "./collection-rows.js";
import type { IndexKeeper } from "./index-keeper.js";
import type { WriteQueue } from "./write-queue.js";

/** Makes, changes and removes collections: on the disk, then in the memory of their indexes. */
export class CollectionWriter {
  readonly #collections: CollectionRows;
  readonly #writes: WriteQueue;
  readonly #indexes: IndexKeeper;

  constructor(collections: CollectionRows, writes: WriteQueue, indexes: IndexKeeper) {
    this.#collections = collections;
    this.#writes = writes;
    this.#indexes = indexes;
  }

  create(spec: CollectionSpec): Promise<void> {
    return this.#writes.write(() => this.#collections.create(spec, new Date().toISOString()));
  }

  rename(from: string, to: string, replace: boolean): Promise<void> {
    return this.#writes.write(
      () => this.#collections.rename(from, to, replace),
      (replaced) => this.#indexes.forget(replaced),
    );
  }

  drop(name: string): Promise<void> {
    return this.#writes.write(
      () => {
        const old = this.#collections.getExact(name);
        this.#collections.refuseAliased(name);
        this.#collections.drop(old);
        return old;
      },
      (old) => this.#indexes.forget(old),
      { freesRoom: true },
    );
  }

  setFields(name: string, fields: readonly string[]): Promise<void> {
    return this.#writes.write(() =>
      this.#collections.setFields(this.#collections.get(name), fields),
    );
  }

  setOptions(name: string, options: JsonObject): Promise<void> {
    return this.#writes.write(() =>
      this.#collections.setOptions(this.#collections.get(name), options),
    );
  }

  setAlias(alias: string, collection: string): Promise<void> {
    return this.#writes.write(() => this.#collections.setAlias(alias, collection));
  }

  removeAlias(alias: string): Promise<void> {
    return this.#writes.write(
      () => this.#collections.removeAlias(alias),
      () => undefined,
      { freesRoom: true },
    );
  }
}
