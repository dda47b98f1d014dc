import type { DataType } from "../encoders/manifest.js";
import type { HubSettings } from "./hub/hub-settings.js";
import type { RetryOptions } from "./hub/retry.js";

/** Told what a pull does, for people to see. */
export interface PullProgress {
  /** All files and their bytes together, as far as the hub gives them. */
  begin(files: number, bytes: number): void;
  /** A file begins; `bytes` of it are known to be `size`. */
  file(path: string, size: number | undefined): void;
  /** So many bytes of that file lie here. */
  bytes(here: number): void;
  /** The file is complete and verified, and where it came from. */
  done(from: "the hub" | "here" | "the hub's cache"): void;
  notice(text: string): void;
}

export interface PullOptions {
  dataDir: string;
  hub: HubSettings;
  dtypes: readonly DataType[];
  license?: string;
  /** Instead of the learned values that are known or can be read. */
  logitScale?: number;
  logitBias?: number;
  signal?: AbortSignal;
  progress: PullProgress;
  retry?: RetryOptions;
}
