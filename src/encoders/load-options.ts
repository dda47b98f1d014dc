import type { Log } from "../log.js";
import type { DataType } from "./manifest.js";
import type { MediaTensors } from "./preprocess/media-tensors.js";
import type { Device } from "./session.js";
import type { SessionKeeper } from "./session-keeper.js";
import type { EmbeddingCache } from "./with-cache.js";

export interface LoadOptions {
  device: Device;
  /** `auto`: the most exact one in the pack. */
  dtype: DataType | "auto";
  threads?: number;
  /** `fast` resizes pictures by libvips; this changes the space. Default `exact`. */
  resize?: "exact" | "fast";
  /**
   * Seconds between the windows of long sounds, instead of the manifest's; this changes the space.
   */
  hopSeconds?: number;
  maxBatch: number;
  media: MediaTensors;
  cache: EmbeddingCache;
  /** Which graphs are in memory; all of them when left out. */
  sessions?: SessionKeeper;
  /** Whether a pack's graphs never sleep. */
  isPinned?: (id: string) => boolean;
  log?: Log;
}
