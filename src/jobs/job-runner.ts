import { setMaxListeners } from "node:events";
import type { Log } from "../log.js";
import { inBulk } from "../priority.js";
import { type Job, type JobData, type JobKind, jobError } from "./job.js";
import type { JobRecords } from "./job-records.js";

/** Is given the work of each job. */
export type During = <T>(work: Promise<T>) => Promise<T>;

/** Runs waiting jobs in order of creation, one at a time in each lane. */
export class JobRunner {
  readonly #records: JobRecords;
  readonly #kinds: Record<string, JobKind>;
  readonly #log: Log;
  readonly #running = new Map<
    string,
    { lane: string; controller: AbortController; ended: Promise<void> }
  >();
  readonly #during: During;
  #stopping = false;

  constructor(
    records: JobRecords,
    { kinds, log, during }: { kinds: Record<string, JobKind>; log: Log; during: During },
  ) {
    this.#records = records;
    this.#kinds = kinds;
    this.#log = log;
    this.#during = during;
  }

  /** Starts every waiting job whose lane is free. */
  next(): void {
    if (this.#stopping) return;
    const busy = new Set([...this.#running.values()].map(({ lane }) => lane));
    for (const job of this.#records.all()) {
      const kind = this.#kinds[job.kind];
      if (job.state !== "queued" || kind === undefined) continue;
      if (busy.has(kind.lane) || this.#running.has(job.id)) continue;
      busy.add(kind.lane);
      const controller = new AbortController();
      setMaxListeners(0, controller.signal); // every input of a job listens
      const ended = this.#run(job, kind, controller).finally(() => {
        this.#running.delete(job.id);
        this.next();
      });
      this.#running.set(job.id, { lane: kind.lane, controller, ended });
    }
  }

  /** Resolves when the job has ended. @returns false when it is not running. */
  async abort(id: string): Promise<boolean> {
    const run = this.#running.get(id);
    if (run === undefined) return false;
    run.controller.abort();
    await run.ended;
    return true;
  }

  /** Interrupts running jobs, and starts no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const running = [...this.#running.values()];
    for (const { controller } of running) controller.abort();
    await Promise.all(running.map(({ ended }) => ended));
  }

  async #run(job: Job, kind: JobKind, { signal }: AbortController): Promise<void> {
    let result: JobData;
    try {
      await this.#records.change(job, { state: "running", startedAt: new Date().toISOString() });
      const input = await this.#records.store.input(job.id);
      // Cancelled while it was read: an already aborted signal fires no event
      signal.throwIfAborted();
      const context = {
        job: { ...job },
        folder: this.#records.store.folderOf(job.id),
        signal,
        report: (progress: number, detail?: JobData) => this.#records.report(job, progress, detail),
      };
      result = await this.#during(inBulk(() => kind.run(input, context)));
    } catch (error) {
      if (signal.aborted)
        await this.#records.end(job, { state: this.#stopping ? "interrupted" : "cancelled" });
      else {
        this.#log.error({ err: error, job: job.id }, "a job failed");
        await this.#records.end(job, { state: "failed", error: jobError(error) });
      }
      await this.#records.forgetExpired();
      return;
    }
    const isWritten = await this.#records.end(job, {
      state: "succeeded",
      progress: 1,
      result,
      error: undefined,
    });
    // Its inputs are removed once its success is on disk: otherwise it is resumed, and finds its
    // result.
    if (isWritten) await this.#records.tidy(job.id);
    await this.#records.forgetExpired();
  }
}
