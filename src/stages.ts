import { AsyncLocalStorage } from "node:async_hooks";
import { stageSeconds } from "./metrics.js";

/** Where the time of a request goes. */
const stages = ["admission", "decode", "preprocess", "queue", "inference", "search"] as const;
export type Stage = (typeof stages)[number];

/** A piece of a stage, as a trace shows it. Times are of `performance.now()`. */
export interface StagePiece {
  stage: Stage;
  startMs: number;
  ms: number;
  /** Of an inference: the model, and how many inputs ran together. */
  model?: string;
  batchSize?: number;
}

/** A stream of items has thousands; a trace shows how it began. */
const maxPieces = 64;

/** Milliseconds by stage, and the first of the pieces that they are made of. */
export class StageTimes {
  readonly #ms = new Map<Stage, number>();
  readonly pieces: StagePiece[] = [];

  get(stage: Stage): number | undefined {
    return this.#ms.get(stage);
  }

  add(piece: StagePiece): void {
    this.#add(piece.stage, piece.ms);
    if (this.pieces.length < maxPieces) this.pieces.push(piece);
  }

  addAll(other: StageTimes): void {
    for (const [stage, ms] of other.#ms) this.#add(stage, ms);
    this.pieces.push(...other.pieces.slice(0, maxPieces - this.pieces.length));
  }

  #add(stage: Stage, ms: number): void {
    this.#ms.set(stage, (this.#ms.get(stage) ?? 0) + ms);
  }
}

const current = new AsyncLocalStorage<StageTimes>();

/** Runs `work`; stages recorded while it runs are added to `times`. */
export function collectStages<T>(times: StageTimes, work: () => T): T {
  return current.run(times, work);
}

/** Records time spent in a stage, for the current request (if any). */
export function recordStage(piece: StagePiece): void {
  current.getStore()?.add(piece);
}

/** Records the stages of work that several calls shared, for the current request (if any). */
export function recordStages(times: StageTimes): void {
  current.getStore()?.addAll(times);
}

/** Runs `work` and records its duration as `stage`, whether it succeeds or not. */
export async function timed<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  try {
    return await work();
  } finally {
    recordStage({ stage, startMs, ms: performance.now() - startMs });
  }
}

/**
 * The `Server-Timing` header of a request; also feeds the histogram per stage. `decode;dur=1.2,
 * queue;dur=0.1`
 */
export function reportStages(times: StageTimes): string {
  const parts: string[] = [];
  for (const stage of stages) {
    const ms = times.get(stage);
    if (ms === undefined) continue;
    stageSeconds.observe({ stage }, ms / 1000);
    parts.push(`${stage};dur=${ms.toFixed(1)}`);
  }
  return parts.join(", ");
}
