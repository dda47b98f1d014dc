import type { DataType } from "../encoders/manifest.js";
import type { HubSettings } from "./hub/hub-settings.js";
import type { RetryOptions } from "./hub/retry.js";

/** Receives a pull's progress, to show to people. */
export interface PullProgress {
  /** The number of files and their total bytes, as far as the hub gives them. */
  begin(files: number, bytes: number): void;
  /** A file starts; its `size` may be unknown. */
  file(path: string, size: number | undefined): void;
  /** This many bytes of that file are present. */
  bytes(receivedBytes: number): void;
  /** The file is complete and verified, and where it came from. */
  done(from: "the hub" | "here" | "the hub's cache"): void;
  notice(text: string): void;
}

export interface PullOptions {
  dataDir: string;
  hub: HubSettings;
  dtypes: readonly DataType[];
  license?: string;
  /** Override the learned values. */
  logitScale?: number;
  logitBias?: number;
  signal?: AbortSignal;
  progress: PullProgress;
  retry?: RetryOptions;
}
