import { setMaxListeners } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AppError } from "../errors.js";
import { batchSize, embedSeconds, graphSeconds, queuedInputs } from "../metrics.js";
import {
  currentPriority,
  giveWayToInteractive,
  type Priority,
  priorities,
  withPriority,
} from "../priority.js";
import { collectStages, recordStages, StageTimes } from "../stages.js";
import { Turns } from "../turns.js";
import type { Batch, Call, Entry } from "./batched-call.js";
import { BulkBatchSize } from "./bulk-batch-size.js";
import type { Embedding, Encoder, Modality } from "./encoder.js";

export interface BatchingOptions {
  /** Most inputs in one run. */
  maxBatch: number;
  /** Most batches under way; 2 when left out. */
  maxInFlight?: number;
}

/**
 * While one batch runs the next is preprocessed, so that the graph need not wait for it; but not a
 * small one, which would run alone although others come.
 */
const defaultInFlight = 2;
const enoughAhead = 8;

/** Calls that are answered in one turn of the event loop, which others wait for. */
const answersATurn = 4;

/**
 * Encoder -> Encoder: joins the inputs of concurrent calls into batches. Interactive and bulk
 * inputs have separate batches, so that the former can overtake the latter (run-queue.ts). Callers
 * (calls with one signal) take turns, one input each, so that nobody waits behind another's
 * backlog. The total is limited elsewhere, before anything is decoded (media/budget.ts). When a
 * batch fails, its inputs are run one by one: only calls whose input cannot be encoded fail.
 */
export function withBatching<M extends Modality>(
  encoder: Encoder<M>,
  options: BatchingOptions,
): Encoder<M> {
  const labels = { model: encoder.modelId, modality: encoder.modality };
  const calls = new Set<Call<M>>();
  const lanes = {
    interactive: { waiting: new Turns<Entry<M>>(), inFlight: 0 },
    bulk: { waiting: new Turns<Entry<M>>(), inFlight: 0 },
  };
  /** Waiting and running entries by content. */
  const shared = new Map<string, Entry<M>>();
  let idle: (() => void) | undefined;

  const bulkSize = new BulkBatchSize(options.maxBatch);
  const countWaiting = () =>
    queuedInputs.set(labels, lanes.interactive.waiting.size + lanes.bulk.waiting.size);
  const forget = (entry: Entry<M>) => {
    if (entry.content !== undefined && shared.get(entry.content) === entry)
      shared.delete(entry.content);
  };

  const endCall = (call: Call<M>, finish: () => void) => {
    if (!calls.delete(call)) return;
    const callers = new Set<unknown>();
    for (const entry of call.entries) {
      entry.uses = entry.uses.filter((use) => use.call !== call);
      if (entry.uses.length > 0) continue;
      forget(entry);
      if (entry.batch === undefined) callers.add(entry.caller);
      else if (entry.batch.entries.every(({ uses }) => uses.length === 0))
        entry.batch.gone.abort(new AppError("cancelled", "Nobody waits for this batch"));
    }
    for (const caller of callers)
      for (const priority of priorities)
        lanes[priority].waiting.remove(caller, ({ uses }) => uses.length === 0);
    countWaiting();
    finish();
  };

  const add = (call: Call<M>, position: number, caller: unknown, priority: Priority) => {
    const input = call.inputs[position];
    const content = typeof input === "string" ? input : input.contentHash;
    let entry = content === undefined ? undefined : shared.get(content);
    if (entry === undefined) {
      entry = { content, uses: [], caller, priority, batch: undefined };
      if (content !== undefined) shared.set(content, entry);
      lanes[priority].waiting.add(caller, entry);
    } else if (entry.batch === undefined && entry.priority === "bulk" && priority !== "bulk") {
      lanes.bulk.waiting.remove(entry.caller, (other) => other === entry);
      Object.assign(entry, { caller, priority });
      lanes[priority].waiting.add(caller, entry);
    }
    entry.uses.push({ call, position });
    call.entries.add(entry);
  };

  const nextBatch = (waiting: Turns<Entry<M>>, size: number): Batch<M> => {
    const batch: Batch<M> = { entries: [], gone: new AbortController() };
    setMaxListeners(0, batch.gone.signal); // every input of it listens
    while (batch.entries.length < size) {
      const entry = waiting.take();
      if (entry === undefined) break;
      for (const { call } of entry.uses) {
        const startMs = call.startedWaiting;
        if (!call.begun)
          call.stages.add({ stage: "queue", startMs, ms: performance.now() - startMs });
        call.begun = true;
      }
      entry.batch = batch;
      batch.entries.push(entry);
    }
    countWaiting();
    return batch;
  };

  /** @param onComputed  called when the graph is free, before the answers. */
  const runBatch = async (
    { entries, gone }: Batch<M>,
    priority: Priority,
    onComputed: () => void,
  ) => {
    const stages = new StageTimes();
    const served = new Set<Call<M>>();
    const give = (entry: Entry<M>, embedding: Embedding) => {
      forget(entry);
      for (const { call, position } of entry.uses) {
        served.add(call);
        call.embeddings[position] = embedding;
        call.done++;
      }
    };
    const fail = (entry: Entry<M>, error: unknown) => {
      forget(entry);
      for (const { call } of [...entry.uses]) endCall(call, () => call.reject(error));
    };
    const encode = (some: readonly Entry<M>[]) => {
      // From a caller that is still there: the media of one that has gone is freed.
      const inputs = some.map(({ uses: [{ call, position }] }) => call.inputs[position]);
      return withPriority(priority, () =>
        collectStages(stages, () => encoder.encode(inputs, gone.signal)),
      );
    };
    if (priority === "bulk") await giveWayToInteractive();
    if (gone.signal.aborted) return;
    try {
      const embeddings = await encode(entries);
      onComputed();
      batchSize.observe(labels, entries.length);
      bulkSize.ran(stages.get("inference") ?? 0, entries.length);
      for (const [i, entry] of entries.entries()) give(entry, embeddings[i]);
    } catch (error) {
      for (const entry of entries) {
        if (entries.length === 1) fail(entry, error);
        else if (entry.uses.length > 0) {
          try {
            give(entry, (await encode([entry]))[0]);
          } catch (entryError) {
            fail(entry, entryError);
          }
        }
      }
    }
    graphSeconds.inc(labels, (stages.get("inference") ?? 0) / 1000);
    for (const call of served) call.stages.addAll(stages);
    const complete = [...served].filter(({ done, inputs }) => done === inputs.length);
    for (const [i, call] of complete.entries()) {
      if (i % answersATurn === answersATurn - 1) await nextTurn();
      embedSeconds.observe(labels, (performance.now() - call.startedWaiting) / 1000);
      endCall(call, () => call.resolve(call.embeddings));
    }
  };

  const pump = () => {
    for (const priority of priorities) {
      const lane = lanes[priority];
      const size = priority === "bulk" ? bulkSize.size : options.maxBatch;
      const ahead = Math.min(size, enoughAhead);
      const enough = () => lane.waiting.size >= (lane.inFlight === 0 ? 1 : ahead);
      const { maxInFlight = defaultInFlight } = options;
      while (lane.inFlight < maxInFlight && enough()) {
        lane.inFlight++;
        let isOver = false;
        const onOver = () => {
          if (isOver) return;
          isOver = true;
          lane.inFlight--;
          pump();
        };
        void runBatch(nextBatch(lane.waiting, size), priority, onOver).finally(onOver);
      }
    }
    if (isIdle()) idle?.();
  };
  const isIdle = () =>
    Object.values(lanes).every(({ waiting, inFlight }) => waiting.size === 0 && inFlight === 0);

  return {
    modality: encoder.modality,
    modelId: encoder.modelId,
    space: encoder.space,
    dimensions: encoder.dimensions,
    async encode(inputs, signal) {
      signal?.throwIfAborted();
      const stages = new StageTimes();
      let call: Call<M> | undefined;
      const onAbort = () => endCall(call!, () => call!.reject(signal!.reason));
      try {
        return await new Promise<Embedding[]>((resolve, reject) => {
          const newCall: Call<M> = {
            inputs,
            entries: new Set(),
            embeddings: new Array(inputs.length),
            begun: false,
            done: 0,
            startedWaiting: performance.now(),
            stages,
            resolve,
            reject,
          };
          call = newCall;
          calls.add(newCall);
          const caller = signal ?? Symbol("caller");
          for (const position of inputs.keys()) add(newCall, position, caller, currentPriority());
          signal?.addEventListener("abort", onAbort, { once: true });
          // Calls of the same tick share the first batch.
          queueMicrotask(pump);
        });
      } finally {
        signal?.removeEventListener("abort", onAbort);
        recordStages(stages);
      }
    },
    async dispose() {
      if (!isIdle()) await new Promise<void>((resolve) => (idle = resolve));
      await encoder.dispose();
    },
  };
}
