import { AppError } from "../errors.js";
import { batchSize, gatherStages, queuedInputs, recordStage, type StageTimes } from "../metrics.js";
import type { Embedding, Encoder, Modality, ModalityInput } from "./encoder.js";

export interface BatchingOptions {
  /** Most inputs in one run. */
  maxBatch: number;
  /** Inputs that may wait before further calls are refused as `overloaded`. */
  maxQueued: number;
}

/** While one batch runs the next may be preprocessed, but only a full one: a batch begun early would be a small one. */
const maxInFlight = 2;

interface Call<M extends Modality> {
  inputs: readonly ModalityInput[M][];
  signal: AbortSignal | undefined;
  embeddings: Embedding[];
  /** Inputs handed to a batch so far, and inputs whose embedding has come. */
  taken: number;
  done: number;
  startedWaiting: number;
  stages: StageTimes;
  resolve: (embeddings: Embedding[]) => void;
  reject: (error: unknown) => void;
}

/**
 * Encoder -> Encoder: joins the inputs of concurrent calls into batches. Calls take turns, one input each, so that a call
 * with thousands of inputs does not hold up the ones behind it. When a batch fails, its inputs are run one by one: an
 * input that cannot be encoded fails its own call only.
 */
export function withBatching<M extends Modality>(
  encoder: Encoder<M>,
  options: BatchingOptions,
): Encoder<M> {
  const labels = { model: encoder.modelId, modality: encoder.modality };
  let calls: Call<M>[] = [];
  let waiting = 0;
  let inFlight = 0;
  let idle: (() => void) | undefined;

  const settle = (call: Call<M>, finish: () => void) => {
    if (!calls.includes(call)) return;
    calls = calls.filter((other) => other !== call);
    waiting -= call.inputs.length - call.taken;
    queuedInputs.set(labels, waiting);
    finish();
  };

  const nextBatch = () => {
    const batch: { call: Call<M>; position: number }[] = [];
    while (batch.length < options.maxBatch) {
      const before = batch.length;
      for (const call of calls) {
        if (call.taken === call.inputs.length || batch.length === options.maxBatch) continue;
        if (call.taken === 0) call.stages.set("queue", performance.now() - call.startedWaiting);
        batch.push({ call, position: call.taken++ });
        waiting--;
      }
      if (batch.length === before) break;
    }
    // The calls at the end of a full batch come first in the next.
    if (calls.length > 0) calls.push(calls.shift()!);
    queuedInputs.set(labels, waiting);
    return batch;
  };

  const runBatch = async (batch: { call: Call<M>; position: number }[]) => {
    const stages: StageTimes = new Map();
    const live = batch.filter(({ call }) => calls.includes(call));
    if (live.length === 0) return;
    const give = (
      { call, position }: { call: Call<M>; position: number },
      embedding: Embedding,
    ) => {
      call.embeddings[position] = embedding;
      call.done++;
    };
    const encode = (inputs: ModalityInput[M][]) =>
      gatherStages(stages, () => encoder.encode(inputs));
    try {
      const embeddings = await encode(live.map(({ call, position }) => call.inputs[position]));
      batchSize.observe(labels, live.length);
      for (const [i, entry] of live.entries()) give(entry, embeddings[i]);
    } catch (error) {
      for (const entry of live) {
        const { call, position } = entry;
        if (live.length === 1) settle(call, () => call.reject(error));
        else if (calls.includes(call)) {
          try {
            give(entry, (await encode([call.inputs[position]]))[0]);
          } catch (own) {
            settle(call, () => call.reject(own));
          }
        }
      }
    }
    for (const call of new Set(live.map((entry) => entry.call))) {
      for (const [stage, ms] of stages) call.stages.set(stage, (call.stages.get(stage) ?? 0) + ms);
      if (call.done === call.inputs.length) settle(call, () => call.resolve(call.embeddings));
    }
  };

  const pump = () => {
    const enough = () => waiting >= (inFlight === 0 ? 1 : options.maxBatch);
    while (inFlight < maxInFlight && enough()) {
      const batch = nextBatch();
      inFlight++;
      void runBatch(batch).finally(() => {
        inFlight--;
        pump();
      });
    }
    if (inFlight === 0 && waiting === 0) idle?.();
  };

  return {
    modality: encoder.modality,
    modelId: encoder.modelId,
    space: encoder.space,
    dimensions: encoder.dimensions,
    async encode(inputs, signal) {
      signal?.throwIfAborted();
      if (waiting > 0 && waiting + inputs.length > options.maxQueued) {
        throw new AppError(
          "overloaded",
          `${encoder.modelId} has ${waiting} inputs waiting; try again shortly`,
          {
            retryAfterSeconds: 1,
          },
        );
      }
      const stages: StageTimes = new Map();
      let call: Call<M> | undefined;
      const onAbort = () => settle(call!, () => call!.reject(signal!.reason));
      try {
        return await new Promise<Embedding[]>((resolve, reject) => {
          const startedWaiting = performance.now();
          call = {
            inputs,
            signal,
            embeddings: new Array(inputs.length),
            taken: 0,
            done: 0,
            startedWaiting,
            stages,
            resolve,
            reject,
          };
          calls.push(call);
          waiting += inputs.length;
          signal?.addEventListener("abort", onAbort, { once: true });
          // Calls of the same tick share the first batch.
          queueMicrotask(pump);
        });
      } finally {
        signal?.removeEventListener("abort", onAbort);
        for (const [stage, ms] of stages) recordStage(stage, ms);
      }
    },
    async dispose() {
      if (inFlight > 0 || waiting > 0) await new Promise<void>((resolve) => (idle = resolve));
      await encoder.dispose();
    },
  };
}
