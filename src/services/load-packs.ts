import type { Activity } from "../activity.js";
import type { Config } from "../config.js";
import { warmUp } from "../encoders/first-inference.js";
import { type LoadedPack, PackLoader } from "../encoders/load.js";
import { ModelRegistry } from "../encoders/model-registry.js";
import type { Device } from "../encoders/session.js";
import { SessionKeeper } from "../encoders/session-keeper.js";
import { EmbeddingCache } from "../encoders/with-cache.js";
import { invalidInput } from "../errors.js";
import type { Log } from "../log.js";
import type { Media } from "../media/media.js";
import { findManifest } from "../models/store.js";

export interface LoadParts {
  media: Media;
  activity: Activity;
  log: Log;
  /** Filled in order; the caller disposes of its packs, also when one cannot be loaded. */
  loaded: LoadedPack[];
}

/** Loads the configured packs. @returns what loads more of them later. */
export async function loadPacks(
  config: Config,
  { media, activity, log, loaded }: LoadParts,
): Promise<ModelRegistry> {
  const cache = new EmbeddingCache(config.cacheBytes);
  const { modelIdleUnloadMs: idleMs, maxModelBytes: maxBytes } = config;
  const sessions = new SessionKeeper({ idleMs, maxBytes, log });
  const isPinned = (id: string) => models.pinned.has(id);
  const loader = new PackLoader({ ...loadOptions(config), log, media, cache, sessions, isPinned });
  // Logged once: without a GPU they are the same for every tower
  const fallbackReasons = new Set<string>();
  const load = async (id: string): Promise<LoadedPack> => {
    const start = performance.now();
    const pack = await loader.load(findManifest(config.dataDir, id));
    const ms = Math.round(performance.now() - start);
    for (const { fallbackReason: reason } of pack.towers) {
      if (reason === undefined || fallbackReasons.has(reason)) continue;
      fallbackReasons.add(reason);
      log.info({ reason }, "running on the CPU");
    }
    const towers = pack.towers.map(
      ({ modality, dtype, provider }) => `${modality} ${dtype} on ${provider}`,
    );
    log.info({ model: id, space: pack.space, towers, ms }, "model loaded");
    return pack;
  };
  const models = new ModelRegistry(
    {
      loaded,
      activity,
      log,
      load: async (id) => {
        const pack = await load(id);
        try {
          await warmUp([pack], config.maxBatch, { log });
        } catch (error) {
          await pack.dispose();
          throw error;
        }
        return pack;
      },
    },
    config.pinnedModels,
  );
  for (const id of config.models) loaded.push(await load(id));
  return models;
}

/** Load options of packs, from the configuration. */
export const loadOptions = ({ device, dtype, threads, resize, hopSeconds, maxBatch }: Config) => ({
  device: device as Device,
  dtype,
  threads: threads === 0 ? undefined : threads,
  resize,
  hopSeconds: hopSeconds === 0 ? undefined : hopSeconds,
  maxBatch,
});

/**
 * @throws AppError `invalid_input` when an alias is a model's id, or a model that is to have
 *   another name, or to stay in memory, is not loaded.
 */
export function checkModels({
  aliases,
  models,
  pinnedModels,
}: Pick<Config, "aliases" | "models" | "pinnedModels">): void {
  const loads = `(option models: ${models.join(", ")})`;
  for (const [name, id] of Object.entries(aliases)) {
    if (models.includes(name)) {
      const message = `The alias "${name}" is the id of a model that is loaded`;
      throw invalidInput("aliases", message);
    }
    if (!models.includes(id)) {
      const message = `The alias "${name}" points to "${id}", which is not loaded ${loads}`;
      throw invalidInput("aliases", message);
    }
  }
  const other = pinnedModels.find((id) => !models.includes(id));
  if (other === undefined) return;
  const message = `pinnedModels names "${other}", which is not loaded ${loads}`;
  throw invalidInput("pinnedModels", message);
}
