import { type LoadedPack, PackLoader } from "../../src/encoders/load.js";
import type { LoadOptions } from "../../src/encoders/load-options.js";
import type { DataType } from "../../src/encoders/manifest.js";
import { EmbeddingCache } from "../../src/encoders/with-cache.js";
import { startDecodingPool } from "../../src/media/decoding-pool.js";
import type { Media } from "../../src/media/media.js";
import { findManifest } from "../../src/models/store.js";

export type TestPack = LoadedPack & { media: Media; close(): Promise<void> };

/** One installed pack on the CPU, without a cache. */
export async function loadPack(
  dataDir: string,
  id: string,
  dtype: DataType | "auto" = "auto",
  options: Pick<LoadOptions, "resize" | "hopSeconds"> = {},
): Promise<TestPack> {
  const media = startDecodingPool({ processes: 2 });
  const cache = new EmbeddingCache(0);
  const loader = new PackLoader({
    device: "cpu",
    dtype,
    maxBatch: 32,
    media,
    cache,
    ...options,
  });
  const pack = await loader.load(findManifest(dataDir, id));
  const close = async () => {
    await pack.dispose();
    await media.close();
  };
  return { ...pack, media, close };
}
