import { setMaxListeners } from "node:events";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { inBulk } from "../priority.js";
import { type Job, type JobData, type JobKind, jobError } from "./job.js";
import type { JobRecords } from "./job-records.js";
import { outsideRuns, withinRun } from "./job-run.js";
import type { TakenJob } from "./job-store.js";

/** Wraps the work of each job. */
export type During = <T>(work: Promise<T>) => Promise<T>;

/** A job whose server ended this often while it ran is not tried again: it may be the cause. */
const maxDeaths = 3;

export interface JobRunnerOptions {
  kinds: Record<string, JobKind>;
  log: Log;
  during: During;
  /** Before a job begins. */
  prepare: () => Promise<void>;
}

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
  readonly #prepare: () => Promise<void>;
  #stopping = false;

  constructor(records: JobRecords, { kinds, log, during, prepare }: JobRunnerOptions) {
    this.#records = records;
    this.#kinds = kinds;
    this.#log = log;
    this.#during = during;
    this.#prepare = prepare;
  }

  /** Starts every waiting job whose lane is free. */
  next(): void {
    if (this.#stopping) return;
    const busy = this.#busyLanes();
    for (const job of this.#records.all()) {
      const kind = this.#kinds[job.kind];
      if (!this.#isFree(job) || kind === undefined) continue;
      if (busy.has(kind.lane) || this.#running.has(job.id)) continue;
      busy.add(kind.lane);
      const controller = new AbortController();
      setMaxListeners(0, controller.signal); // every input of a job listens
      const taking = outsideRuns(() => this.#take(job, kind, controller));
      const ended = taking.then((wasTaken) => {
        this.#running.delete(job.id);
        if (wasTaken) this.next();
      });
      this.#running.set(job.id, { lane: kind.lane, controller, ended });
    }
  }

  #isFree(job: Job): boolean {
    return this.#records.store.queue?.isFree(job) ?? job.state === "queued";
  }

  /** Of jobs that run here, and on other servers. */
  #busyLanes(): Set<string> {
    const lanes = new Set([...this.#running.values()].map(({ lane }) => lane));
    if (this.#records.store.queue === undefined) return lanes;
    for (const job of this.#records.all()) {
      const kind = this.#kinds[job.kind];
      if (job.state !== "running" || this.#isFree(job) || kind?.isLocal) continue;
      if (kind !== undefined) lanes.add(kind.lane);
    }
    return lanes;
  }

  /** Whether a job runs here. */
  isRunning(id: string): boolean {
    return this.#running.has(id);
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

  /** @returns false when another server runs it. */
  async #take(job: Job, kind: JobKind, controller: AbortController): Promise<boolean> {
    const { queue } = this.#records.store;
    if (queue === undefined) {
      await this.#run(job, kind, { controller });
      return true;
    }
    let taken: TakenJob | undefined;
    try {
      taken = await queue.take(job, controller);
      if (taken === undefined) return false;
      await this.#run(job, kind, { controller, taken });
    } catch (error) {
      this.#log.warn({ err: error, job: job.id }, "a job could not be taken");
      return false;
    } finally {
      taken?.release();
    }
    return !taken.isLost;
  }

  async #run(
    job: Job,
    kind: JobKind,
    { controller: { signal }, taken }: { controller: AbortController; taken?: TakenJob },
  ): Promise<void> {
    let result: JobData;
    try {
      await this.#records.change(job, { state: "running", startedAt: new Date().toISOString() });
      if (taken !== undefined && taken.deaths >= maxDeaths) throw deadly(taken.deaths);
      await this.#prepare();
      const input = await this.#records.store.input(job.id);
      // Cancelled while it was read: an already aborted signal fires no event
      signal.throwIfAborted();
      const context = {
        job: { ...job },
        folder: this.#records.store.folderOf(job.id),
        signal,
        report: (progress: number, detail?: JobData) => this.#records.report(job, progress, detail),
      };
      const run = () => inBulk(() => kind.run(input, context));
      result = await this.#during(taken === undefined ? run() : withinRun(taken, run));
    } catch (error) {
      if (taken?.isLost) {
        this.#log.warn({ job: job.id }, "another server continues a job");
        return;
      }
      // What it has done so far is kept: it may be resumed.
      await taken?.save().catch((err) => this.#log.warn({ err, job: job.id }, "not saved"));
      if (signal.aborted && this.#stopping && taken !== undefined)
        await this.#records.change(job, { state: "queued" }).catch((err) => {
          this.#log.warn({ err, job: job.id }, "a job waits until its lease has ended");
        });
      else if (signal.aborted)
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

const deadly = (deaths: number) =>
  new AppError("unavailable", `${deaths} servers ended while they ran it; see their logs`);
