import type { Activity } from "../activity.js";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import type { LoadedPack } from "./load.js";

export interface ModelRegistryOptions {
  /** In the order in which models are looked for; changed in place. */
  loaded: LoadedPack[];
  /** Loads an installed pack and lets it answer a first input. */
  load(id: string): Promise<LoadedPack>;
  activity: Activity;
  log: Log;
}

/**
 * Models that are loaded, replaced and unloaded while requests are answered. Work that began
 * earlier continues with the model as it was, which is freed when the last of it has ended; later
 * work finds the new one, or none.
 */
export class ModelRegistry {
  readonly #options: ModelRegistryOptions;
  /** Ids of models that never sleep. */
  readonly pinned: Set<string>;
  readonly #loading = new Map<string, Promise<LoadedPack>>();
  readonly #leaving = new Set<Promise<void>>();
  /** Called after each change. */
  onChange: () => void = () => {};

  constructor(options: ModelRegistryOptions, pinned: Iterable<string> = []) {
    this.#options = options;
    this.pinned = new Set(pinned);
  }

  /**
   * @param reload  reads the files again, also of a model that is loaded.
   * @throws AppError as `PackLoader.load`; `inference_failed` when it cannot answer. Then all is as
   *   it was.
   */
  async load(
    id: string,
    { reload = false }: { reload?: boolean } = {},
  ): Promise<{ pack: LoadedPack; isNew: boolean }> {
    const loaded = this.#find(id);
    if (loaded !== undefined && !reload) return { pack: loaded, isNew: false };
    let loading = this.#loading.get(id);
    if (loading === undefined) {
      loading = this.#load(id).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return { pack: await loading, isNew: true };
  }

  /** Keeps a model's graphs in memory, or stops doing so. */
  pin(id: string, isPinned: boolean): void {
    if (isPinned) this.pinned.add(id);
    else this.pinned.delete(id);
  }

  /** @throws AppError `model_not_found`. */
  unload(id: string): void {
    const { loaded, log } = this.#options;
    const pack = this.#find(id);
    if (pack === undefined)
      throw new AppError("model_not_found", `No model "${id}" is loaded`, { param: "model" });
    loaded.splice(loaded.indexOf(pack), 1);
    this.pinned.delete(id);
    log.info({ model: id }, "model unloaded");
    this.onChange();
    this.#retire(pack);
  }

  /** Waits for the models that are being freed. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#loading.values());
    await Promise.all(this.#leaving);
  }

  async #load(id: string): Promise<LoadedPack> {
    const { loaded, load } = this.#options;
    const pack = await load(id);
    const before = this.#find(id);
    if (before === undefined) loaded.push(pack);
    else loaded[loaded.indexOf(before)] = pack;
    this.onChange();
    if (before !== undefined) this.#retire(before);
    return pack;
  }

  #find(id: string): LoadedPack | undefined {
    return this.#options.loaded.find(({ manifest }) => manifest.id === id);
  }

  #retire(pack: LoadedPack): void {
    const { activity, log } = this.#options;
    const leaving = activity
      .whenIdle()
      .then(() => pack.dispose())
      .catch((error) => log.error({ err: error }, "a model could not be freed"))
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}
