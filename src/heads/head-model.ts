import type { Config } from "../config.js";
import type { Modality } from "../encoders/encoder.js";
import type { LoadedPack } from "../encoders/load.js";
import { type PackSpace, readPackSpace } from "../encoders/pack-space.js";
import { AppError } from "../errors.js";
import { findManifest } from "../models/store.js";

/**
 * The model of a head: loaded, or installed and described by its manifest; otherwise undefined. The
 * command line imports heads without loading a model.
 */
export async function headModel(
  { packs, config }: { packs: { list(): readonly LoadedPack[] }; config: Config },
  id: string,
): Promise<PackSpace | undefined> {
  const loaded = packs.list().find(({ manifest }) => manifest.id === id);
  if (loaded !== undefined) {
    const modalities = Object.keys(loaded.encoders) as Modality[];
    return { id, space: loaded.space, dimensions: loaded.manifest.dimensions, modalities };
  }
  const { dataDir, dtype, resize, hopSeconds } = config;
  try {
    return await readPackSpace(findManifest(dataDir, id), {
      dtype,
      resize,
      hopSeconds: hopSeconds === 0 ? undefined : hopSeconds,
    });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "model_not_found") throw error;
    return undefined;
  }
}
