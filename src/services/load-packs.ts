import type { Config } from "../config.js";
import { type LoadedPack, PackLoader } from "../encoders/load.js";
import type { Device } from "../encoders/session.js";
import { EmbeddingCache } from "../encoders/with-cache.js";
import { invalidInput } from "../errors.js";
import type { Log } from "../log.js";
import type { Media } from "../media/media.js";
import { findManifest } from "../models/store.js";

/**
 * Loads the configured packs.
 * @param onLoaded  called with each pack at once: the caller disposes of it, even when a later one
 *   cannot be loaded.
 */
export async function loadPacks(
  config: Config,
  { media, log, onLoaded }: { media: Media; log: Log; onLoaded: (pack: LoadedPack) => void },
): Promise<void> {
  const cache = new EmbeddingCache(config.cacheBytes);
  const loader = new PackLoader({ ...loadOptions(config), log, media, cache });
  // Logged once: without a GPU they are the same for every tower
  const fallbackReasons = new Set<string>();
  for (const id of config.models) {
    const start = performance.now();
    const pack = await loader.load(findManifest(config.dataDir, id));
    onLoaded(pack);
    const ms = Math.round(performance.now() - start);
    for (const { fallbackReason: reason } of pack.towers) {
      if (reason === undefined || fallbackReasons.has(reason)) continue;
      fallbackReasons.add(reason);
      log.info({ reason }, "running on the CPU");
    }
    const towers = pack.towers.map(({ fallbackReason: _, ...tower }) => tower);
    log.info({ model: id, space: pack.space, towers, ms }, "model loaded");
  }
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

/** @throws AppError `invalid_input` when an alias is a model's id, or its model is not loaded. */
export function checkAliases({ aliases, models }: Config): Config["aliases"] {
  for (const [name, id] of Object.entries(aliases)) {
    if (models.includes(name)) {
      const message = `The alias "${name}" is the id of a model that is loaded`;
      throw invalidInput("aliases", message);
    }
    if (!models.includes(id)) {
      const message =
        `The alias "${name}" leads to "${id}", which is not loaded (option models: ` +
        `${models.join(", ")})`;
      throw invalidInput("aliases", message);
    }
  }
  return aliases;
}
