import type { Log } from "../log.js";
import type { DataType } from "./manifest.js";
import type { MediaTensors } from "./preprocess/media-tensors.js";
import type { Device } from "./session.js";
import type { EmbeddingCache } from "./with-cache.js";

export interface LoadOptions {
  device: Device;
  /** `auto`: the most exact one the pack has. */
  dtype: DataType | "auto";
  threads?: number;
  /** `fast` resizes pictures by libvips; another space than `exact`, the default. */
  resize?: "exact" | "fast";
  /**
   * Seconds between the windows of long sounds, in place of the manifest's; another space than with
   * those.
   */
  hopSeconds?: number;
  maxBatch: number;
  media: MediaTensors;
  cache: EmbeddingCache;
  log?: Log;
}
