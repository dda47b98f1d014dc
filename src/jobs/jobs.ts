import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { hasEnded, type Job, type JobData, type JobKind, type JobState } from "./job.js";
import { type JobInput, JobStore } from "./job-store.js";

export interface JobsOptions {
  folder: string;
  kinds: Record<string, JobKind>;
  log: Log;
}

/** Jobs of clients that may wait, and ended ones that are remembered. */
const mostWaiting = 20;
const mostEnded = 200;
/** A progress that nobody waits for is written at most this often. */
const writeEveryMs = 1000;

const inWords: Record<JobState, string> = {
  queued: "is queued",
  running: "is running",
  succeeded: "has succeeded",
  failed: "has failed",
  cancelled: "was cancelled",
  interrupted: "was interrupted",
};

/** Long work that outlives its process: every job is a folder, and what was under way when the process ended can be resumed. */
export class Jobs {
  readonly #store: JobStore;
  readonly #kinds: Record<string, JobKind>;
  readonly #log: Log;
  /** By id, oldest first. */
  readonly #jobs = new Map<string, Job>();
  readonly #watchers = new Map<string, Set<(job: Job) => void>>();
  readonly #running = new Map<
    string,
    { lane: string; controller: AbortController; ended: Promise<void> }
  >();
  readonly #lastWrite = new Map<string, { at: number; done: Promise<void> }>();
  #closing = false;

  private constructor({ folder, kinds, log }: JobsOptions) {
    this.#store = new JobStore(folder, log);
    this.#kinds = kinds;
    this.#log = log;
  }

  /** Reads what is there; jobs of a process that is gone become `interrupted`. */
  static async open(options: JobsOptions): Promise<Jobs> {
    const jobs = new Jobs(options);
    for (const job of await jobs.#store.readAll()) {
      jobs.#jobs.set(job.id, job);
      if (hasEnded(job) || isAlive(job.pid)) continue;
      await jobs
        .#interrupt(job)
        .catch((error) => options.log.warn({ err: error, job: job.id }, "job not written"));
    }
    return jobs;
  }

  /** Resolves when the job is on the disk; it then waits for its turn. */
  async create(kind: string, input: JobInput): Promise<Job> {
    const isOwn = (name: string) => this.#kinds[name]?.own === true;
    const waiting = [...this.#jobs.values()].filter(
      (job) => job.state === "queued" && !isOwn(job.kind),
    ).length;
    if (waiting >= mostWaiting && !isOwn(kind)) {
      throw new AppError("overloaded", `${waiting} jobs are waiting already`, {
        retryAfterSeconds: 60,
      });
    }
    const job: Job = {
      id: this.#store.newId(),
      kind,
      state: "queued",
      progress: 0,
      createdAt: new Date().toISOString(),
      pid: process.pid,
    };
    await this.#store.create(job, input);
    this.#jobs.set(job.id, job);
    await this.#forgetOld();
    this.#next();
    return { ...job };
  }

  /** Newest first. */
  list(): Job[] {
    return [...this.#jobs.values()].reverse().map((job) => ({ ...job }));
  }

  /** @throws AppError `not_found` */
  get(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined)
      throw new AppError("not_found", `There is no job "${id}"`, { param: "id" });
    return { ...job };
  }

  /** Stops a job that waits or runs. What it had reached is kept for `resume`. */
  async cancel(id: string): Promise<Job> {
    const { state } = this.get(id);
    const job = this.#jobs.get(id) as Job;
    if (state === "running") {
      const run = this.#running.get(id);
      run?.controller.abort();
      await run?.ended;
    } else if (state === "queued" || state === "interrupted") {
      await this.#change(job, { state: "cancelled", endedAt: new Date().toISOString() });
    } else {
      throw new AppError("conflict", `The job "${id}" ${inWords[state]} already`, { param: "id" });
    }
    return this.get(id);
  }

  /** Puts a job that was interrupted, cancelled or has failed back into the queue. */
  async resume(id: string): Promise<Job> {
    const { state, kind } = this.get(id);
    if (state !== "interrupted" && state !== "cancelled" && state !== "failed") {
      const message = `Only a job that was interrupted or cancelled, or has failed, can be resumed; "${id}" ${inWords[state]}`;
      throw new AppError("conflict", message, { param: "id" });
    }
    if (this.#kinds[kind] === undefined) {
      throw new AppError("conflict", `Jobs of the kind "${kind}" cannot run here`, { param: "id" });
    }
    const job = this.#jobs.get(id) as Job;
    const anew = { startedAt: undefined, endedAt: undefined, error: undefined, pid: process.pid };
    await this.#change(job, { state: "queued", ...anew });
    this.#next();
    return this.get(id);
  }

  /** Calls `listener` with every change of the job from now on. @returns a function that ends this. */
  watch(id: string, listener: (job: Job) => void): () => void {
    this.get(id);
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(listener));
    return () => void watchers.delete(listener);
  }

  /** Interrupts what runs or waits, so that it can be resumed at the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const job of this.#jobs.values()) {
      if (job.state === "queued" && job.pid === process.pid) await this.#interrupt(job);
    }
    for (const { controller } of this.#running.values()) controller.abort();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #next(): void {
    if (this.#closing) return;
    const busy = new Set([...this.#running.values()].map(({ lane }) => lane));
    for (const job of this.#jobs.values()) {
      const kind = this.#kinds[job.kind];
      if (
        job.state !== "queued" ||
        kind === undefined ||
        busy.has(kind.lane) ||
        this.#running.has(job.id)
      )
        continue;
      busy.add(kind.lane);
      const controller = new AbortController();
      const ended = this.#run(job, kind, controller).finally(() => {
        this.#running.delete(job.id);
        this.#next();
      });
      this.#running.set(job.id, { lane: kind.lane, controller, ended });
    }
  }

  async #run(job: Job, kind: JobKind, controller: AbortController): Promise<void> {
    try {
      await this.#change(job, { state: "running", startedAt: new Date().toISOString() });
      const input = await this.#store.input(job.id);
      controller.signal.throwIfAborted(); // cancelled while it was read: an abort that has been is not heard again
      const result = await kind.run(input, {
        job: { ...job },
        folder: this.#store.folderOf(job.id),
        signal: controller.signal,
        report: (progress, detail) => this.#report(job, progress, detail),
      });
      const done = { progress: 1, result, error: undefined, pid: undefined };
      await this.#change(job, { state: "succeeded", endedAt: new Date().toISOString(), ...done });
      await this.#store.keepOnlyState(job.id);
    } catch (error) {
      const endedAt = new Date().toISOString();
      try {
        if (!controller.signal.aborted) {
          this.#log.error({ err: error, job: job.id }, "a job failed");
          await this.#change(job, {
            state: "failed",
            endedAt,
            error: describe(error),
            pid: undefined,
          });
        } else if (this.#closing) await this.#interrupt(job);
        else await this.#change(job, { state: "cancelled", endedAt, pid: undefined });
      } catch (unwritten) {
        this.#log.error(
          { err: unwritten, job: job.id },
          "the end of a job could not be written down",
        );
      }
    }
  }

  #interrupt(job: Job): Promise<void> {
    return this.#change(job, {
      state: "interrupted",
      endedAt: new Date().toISOString(),
      pid: undefined,
    });
  }

  /** Changes are told once they are on the disk. */
  async #change(job: Job, change: Partial<Job>): Promise<void> {
    Object.assign(job, change);
    const { done } = this.#lastWrite.get(job.id) ?? { done: Promise.resolve() };
    const written = done.then(() => this.#store.write(job));
    this.#lastWrite.set(job.id, { at: performance.now(), done: written.catch(() => undefined) });
    try {
      await written;
    } finally {
      this.#tell(job);
    }
  }

  #report(job: Job, progress: number, detail?: JobData): void {
    if (job.state !== "running") return;
    job.progress = Math.min(1, Math.max(0, progress));
    if (detail !== undefined) job.detail = detail;
    const { at } = this.#lastWrite.get(job.id) ?? { at: 0 };
    if (performance.now() - at > writeEveryMs) {
      this.#change(job, {}).catch((error) =>
        this.#log.warn({ err: error, job: job.id }, "progress not written"),
      );
    } else this.#tell(job);
  }

  #tell(job: Job): void {
    for (const listener of this.#watchers.get(job.id) ?? []) listener({ ...job });
    if (hasEnded(job)) this.#watchers.delete(job.id);
  }

  async #forgetOld(): Promise<void> {
    const ended = [...this.#jobs.values()].filter(
      (job) => hasEnded(job) && job.state !== "interrupted",
    );
    for (const { id } of ended.slice(0, Math.max(0, ended.length - mostEnded))) {
      this.#jobs.delete(id);
      this.#lastWrite.delete(id);
      await this.#store.remove(id);
    }
  }
}

/** Whether another process of that number runs; this one knows its jobs itself. */
function isAlive(pid: number | undefined): boolean {
  if (pid === undefined || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function describe(error: unknown): NonNullable<Job["error"]> {
  if (error instanceof AppError)
    return { code: error.code, message: error.message, param: error.param };
  return {
    code: "internal",
    message: "The job failed by a fault of ours; its cause is in the server's log",
  };
}
