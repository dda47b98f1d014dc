import type { Remote } from "../../workers/remote.js";
import type { StoreCore } from "./store-core.js";

/** What an item must match. */
export interface Shape {
  space: string;
  dimensions: number;
}

/** The main thread's cache of collections by name, until one of them changes. */
export class CollectionNames {
  readonly #core: Remote<StoreCore>;
  readonly #shapes = new Map<string, Shape>();
  #aliases: Promise<Map<string, string>> | undefined;

  constructor(core: Remote<StoreCore>) {
    this.#core = core;
  }

  /** @throws AppError not_found. */
  async shape(name: string): Promise<Shape> {
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      const { space, dimensions } = await this.#core.stats(name);
      shape = { space, dimensions };
      this.#shapes.set(name, shape);
    }
    return shape;
  }

  /** The collection behind an alias; any other name unchanged. */
  async resolve(name: string): Promise<string> {
    this.#aliases ??= this.#core.aliases().then((pairs) => new Map(pairs));
    return (await this.#aliases).get(name) ?? name;
  }

  forget(): void {
    this.#shapes.clear();
    this.#aliases = undefined;
  }
}
