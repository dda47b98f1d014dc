import type { Priority } from "../priority.js";
import type { StageTimes } from "../stages.js";
import type { Embedding, Modality, ModalityInput } from "./encoder.js";

/** One call of the encoder that with-batching.ts gives. */
export interface Call<M extends Modality> {
  inputs: readonly ModalityInput[M][];
  /** The inputs it waits for. */
  entries: Set<Entry<M>>;
  embeddings: Embedding[];
  /** Whether an input is in a batch, and how many embeddings have arrived. */
  begun: boolean;
  done: number;
  startedWaiting: number;
  stages: StageTimes;
  resolve: (embeddings: Embedding[]) => void;
  reject: (error: unknown) => void;
}

/** One input; calls with an equal one share it while it waits or runs. */
export interface Entry<M extends Modality> {
  /** The text itself, or the content hash of media; undefined without one. */
  content: string | undefined;
  /** Empty once all of them have gone. */
  uses: { call: Call<M>; position: number }[];
  /** The caller. Calls of one caller share a turn. */
  caller: unknown;
  priority: Priority;
  batch: Batch<M> | undefined;
}

export interface Batch<M extends Modality> {
  entries: Entry<M>[];
  /** Aborts when no caller waits for any of its inputs. */
  gone: AbortController;
}
