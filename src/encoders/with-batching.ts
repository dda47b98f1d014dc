import { batchSize, gatherStages, queuedInputs, recordStage, type StageTimes } from "../metrics.js";
import { Turns } from "../turns.js";
import type { Embedding, Encoder, Modality, ModalityInput } from "./encoder.js";

export interface BatchingOptions {
  /** Most inputs in one run. */
  maxBatch: number;
}

/**
 * While one batch runs the next may be preprocessed, but only a full one: a batch begun early would
 * be a small one.
 */
const maxInFlight = 2;

interface Call<M extends Modality> {
  inputs: readonly ModalityInput[M][];
  /** Calls of one caller share a turn. */
  caller: unknown;
  embeddings: Embedding[];
  /** Whether an input was handed to a batch, and how many embeddings have come. */
  begun: boolean;
  done: number;
  startedWaiting: number;
  stages: StageTimes;
  resolve: (embeddings: Embedding[]) => void;
  reject: (error: unknown) => void;
}

/** One input of a call. */
interface Entry<M extends Modality> {
  call: Call<M>;
  position: number;
}

/**
 * Encoder -> Encoder: joins the inputs of concurrent calls into batches. Callers take turns, one
 * input each, so that nobody waits behind the backlog of another; calls with the same signal are
 * one caller's. How much may wait in all is not decided here but before anything is decoded
 * (media/budget.ts). When a batch fails, its inputs are run one by one: an input that cannot be
 * encoded fails its own call only.
 */
export function withBatching<M extends Modality>(
  encoder: Encoder<M>,
  options: BatchingOptions,
): Encoder<M> {
  const labels = { model: encoder.modelId, modality: encoder.modality };
  const calls = new Set<Call<M>>();
  const waiting = new Turns<Entry<M>>();
  let inFlight = 0;
  let idle: (() => void) | undefined;

  const settle = (call: Call<M>, finish: () => void) => {
    if (!calls.delete(call)) return;
    waiting.remove(call.caller, (entry) => entry.call === call);
    queuedInputs.set(labels, waiting.size);
    finish();
  };

  const nextBatch = () => {
    const batch: Entry<M>[] = [];
    while (batch.length < options.maxBatch) {
      const entry = waiting.take();
      if (entry === undefined) break;
      const { call } = entry;
      if (!call.begun) call.stages.set("queue", performance.now() - call.startedWaiting);
      call.begun = true;
      batch.push(entry);
    }
    queuedInputs.set(labels, waiting.size);
    return batch;
  };

  const runBatch = async (batch: Entry<M>[]) => {
    const stages: StageTimes = new Map();
    const live = batch.filter(({ call }) => calls.has(call));
    if (live.length === 0) return;
    const give = ({ call, position }: Entry<M>, embedding: Embedding) => {
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
        else if (calls.has(call)) {
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
    const enough = () => waiting.size >= (inFlight === 0 ? 1 : options.maxBatch);
    while (inFlight < maxInFlight && enough()) {
      const batch = nextBatch();
      inFlight++;
      void runBatch(batch).finally(() => {
        inFlight--;
        pump();
      });
    }
    if (inFlight === 0 && waiting.size === 0) idle?.();
  };

  return {
    modality: encoder.modality,
    modelId: encoder.modelId,
    space: encoder.space,
    dimensions: encoder.dimensions,
    async encode(inputs, signal) {
      signal?.throwIfAborted();
      const stages: StageTimes = new Map();
      let call: Call<M> | undefined;
      const onAbort = () => settle(call!, () => call!.reject(signal!.reason));
      try {
        return await new Promise<Embedding[]>((resolve, reject) => {
          const startedWaiting = performance.now();
          const made: Call<M> = {
            inputs,
            caller: signal ?? Symbol("caller"),
            embeddings: new Array(inputs.length),
            begun: false,
            done: 0,
            startedWaiting,
            stages,
            resolve,
            reject,
          };
          call = made;
          calls.add(made);
          for (const position of inputs.keys()) waiting.add(made.caller, { call: made, position });
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
      if (inFlight > 0 || waiting.size > 0) await new Promise<void>((resolve) => (idle = resolve));
      await encoder.dispose();
    },
  };
}
