import type { Activity } from "../activity.js";
import { closeAll } from "../close-all.js";
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

/** What a configuration says of models. */
interface ChosenModels {
  models: readonly string[];
  pinnedModels: readonly string[];
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
  /** All that has not ended, `#loading` included. */
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #leaving = new Set<Promise<void>>();
  #isClosed = false;
  /** Called after each change. */
  onChange: () => void = () => {};

  constructor(options: ModelRegistryOptions, pinned: Iterable<string> = []) {
    this.#options = options;
    this.pinned = new Set(pinned);
  }

  /**
   * @param reload  reads the files again, also of a model that is loaded.
   * @throws AppError as `PackLoader.load`; `inference_failed` when it cannot answer; `conflict`
   *   when it was unloaded or replaced while it was loaded again. Then all is as it was.
   */
  async load(
    id: string,
    { reload = false }: { reload?: boolean } = {},
  ): Promise<{ pack: LoadedPack; isNew: boolean }> {
    const loaded = this.#find(id);
    if (loaded !== undefined && !reload) return { pack: loaded, isNew: false };
    let loading = this.#loading.get(id);
    if (loading === undefined) {
      const started = this.#tracked(this.#load(id)).finally(() => {
        if (this.#loading.get(id) === started) this.#loading.delete(id);
      });
      loading = started;
      this.#loading.set(id, loading);
    }
    return { pack: await loading, isNew: true };
  }

  /**
   * Goes from one configuration to another: its models are loaded, in its order and before those
   * that were loaded by hand; models that only the one before names are unloaded. All of it in one
   * step, once everything is loaded.
   * @throws AppError as `load`; then all is as it was.
   */
  reconfigure(
    before: ChosenModels,
    after: ChosenModels,
  ): Promise<{ loaded: string[]; unloaded: string[] }> {
    return this.#tracked(this.#reconfigure(before, after));
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
    this.#forget(id);
    log.info({ model: id }, "model unloaded");
    this.onChange();
    this.#retire(pack);
  }

  /** Loads no more, and waits for the models that are being freed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
    await Promise.all(this.#leaving);
  }

  async #load(id: string): Promise<LoadedPack> {
    const { loaded } = this.#options;
    const before = this.#find(id);
    const pack = await this.#loadAside(id);
    const now = this.#find(id);
    if (now !== before) {
      await pack.dispose();
      if (before === undefined && now !== undefined) return now; // a reload has loaded it too
      const message = `The model "${id}" was unloaded or replaced while it was being loaded again`;
      throw new AppError("conflict", message, { param: "model" });
    }
    if (before === undefined) loaded.push(pack);
    else loaded[loaded.indexOf(before)] = pack;
    this.onChange();
    if (before !== undefined) this.#retire(before);
    return pack;
  }

  /** Loads a model that nobody finds yet. */
  async #loadAside(id: string): Promise<LoadedPack> {
    const refuse = () => {
      if (this.#isClosed) throw new AppError("cancelled", "The server is shutting down");
    };
    refuse();
    const pack = await this.#options.load(id);
    try {
      refuse();
    } catch (error) {
      await pack.dispose();
      throw error;
    }
    return pack;
  }

  async #reconfigure(before: ChosenModels, after: ChosenModels) {
    const { loaded } = this.#options;
    const fresh = new Map<string, LoadedPack>();
    const isMissing = (id: string) => this.#find(id) === undefined && !fresh.has(id);
    try {
      // Looked for again after each: others may be unloaded meanwhile.
      for (let id = after.models.find(isMissing); id; id = after.models.find(isMissing)) {
        const underWay = this.#loading.get(id);
        if (underWay === undefined) fresh.set(id, await this.#loadAside(id));
        else await underWay.catch(() => undefined); // then it is tried here
      }
    } catch (error) {
      await closeAll(...[...fresh.values()].map((pack) => () => pack.dispose()));
      throw error;
    }
    const ids = new Set(after.models);
    const leaving = loaded.filter(
      ({ manifest: { id } }) => before.models.includes(id) && !ids.has(id),
    );
    const own = after.models.map((id) => this.#find(id) ?? (fresh.get(id) as LoadedPack));
    const byHand = loaded.filter((pack) => !own.includes(pack) && !leaving.includes(pack));
    loaded.splice(0, loaded.length, ...own, ...byHand);
    const unloaded = leaving.map(({ manifest }) => manifest.id);
    for (const id of unloaded) this.#forget(id);
    for (const id of before.pinnedModels) this.pinned.delete(id);
    for (const id of after.pinnedModels) this.pinned.add(id);
    this.onChange();
    const unused = [...fresh.values()].filter((pack) => !own.includes(pack)); // loaded by hand too
    for (const pack of [...leaving, ...unused]) this.#retire(pack);
    return { loaded: after.models.filter((id) => fresh.has(id)), unloaded };
  }

  async #tracked<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Whoever asks for it after it was unloaded has it loaded anew. */
  #forget(id: string): void {
    this.pinned.delete(id);
    this.#loading.delete(id);
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
