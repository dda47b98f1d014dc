import { randomBytes } from "node:crypto";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { hasEnded, type Job, type JobKind, stateInWords, subjectOf } from "./job.js";
import { JobRecords } from "./job-records.js";
import { checkResumable, defaultJobLimits, type JobLimits, noJob } from "./job-retention.js";
import { type During, JobRunner } from "./job-runner.js";
import type { JobInput, JobStore } from "./job-store.js";

export interface JobsOptions {
  store: JobStore;
  kinds: Record<string, JobKind>;
  log: Log;
  limits?: JobLimits;
  /**
   * Makes this process the owner of the data folder and its jobs; rejects while another process is.
   */
  claim?: () => Promise<void>;
  /** Whether another process owns it. */
  isOwnedElsewhere?: () => boolean;
  /** Wraps the work of each job. */
  during?: During;
  /** Before a job begins, which may have come from another server. */
  prepare?: () => Promise<void>;
}

/** Jobs of clients that may wait. */
const maxWaiting = 20;
/** How often expired jobs are removed. */
const forgetEveryMs = 600_000;
/** How often a server checks for changes by others. */
const lookEveryMs = 300;

/**
 * Long work that outlives its process.
 *
 * Jobs in a folder belong to the process that holds the data folder. When a process takes it over,
 * no other is working: unfinished jobs are interrupted, whatever their files say, and can be
 * resumed. Jobs in a database belong to all its servers: when the server of a job is gone, another
 * one continues it.
 */
export class Jobs {
  readonly #options: Required<JobsOptions>;
  readonly #records: JobRecords;
  readonly #runner: JobRunner;
  /** Jobs being written before they are queued. */
  #beingCreated = 0;
  #claimed: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(options: JobsOptions) {
    const during: During = (work) => work;
    const nothing = async () => {};
    const alone = { claim: nothing, isOwnedElsewhere: () => false, during, prepare: nothing };
    this.#options = { limits: defaultJobLimits, ...alone, ...options };
    this.#records = new JobRecords(this.#options);
    this.#runner = new JobRunner(this.#records, this.#options);
  }

  /** Reads all jobs. Nothing is changed before this process owns the data folder. */
  static async open(options: JobsOptions): Promise<Jobs> {
    const jobs = new Jobs(options);
    if (options.store.queue !== undefined) return jobs;
    await jobs.#records.readAll();
    if (!jobs.#options.isOwnedElsewhere()) {
      for (const job of jobs.#records.all()) if (!hasEnded(job)) job.state = "interrupted";
    }
    return jobs;
  }

  /** Takes over the jobs, once: unfinished ones are interrupted. @throws as `claim`. */
  claim(): Promise<void> {
    this.#claimed ??= this.#takeOver().catch((error) => {
      this.#claimed = undefined;
      throw error;
    });
    return this.#claimed;
  }

  /**
   * Resolves when the job is on disk; it then waits for its turn.
   * @throws AppError `overloaded` when too many wait; as `claim`.
   */
  async create(kind: string, input: JobInput): Promise<Job> {
    await this.claim();
    const { isInternal = false, ...placement } = this.#options.kinds[kind] ?? { lane: kind };
    if (!isInternal) this.#refuseTooMany();
    const job: Job = {
      id: randomBytes(6).toString("hex"),
      kind,
      subject: subjectOf(input.data),
      state: "queued",
      progress: 0,
      createdAt: new Date().toISOString(),
      pid: process.pid,
    };
    if (!isInternal) this.#beingCreated++;
    try {
      await this.#records.add(job, input, placement);
    } finally {
      if (!isInternal) this.#beingCreated--;
    }
    await this.#records.forgetExpired();
    this.#runner.next();
    return { ...job };
  }

  /** Newest first. */
  list(): Job[] {
    return this.#records
      .all()
      .reverse()
      .map((job) => ({ ...job }));
  }

  /** @throws AppError `not_found` */
  get(id: string): Job {
    return { ...this.#of(id) };
  }

  /** Problems with the files of jobs, in sentences. */
  damage(): string[] {
    return this.#records.damage();
  }

  /** Stops a waiting or running job. Its progress is kept for `resume`. */
  async cancel(id: string): Promise<Job> {
    await this.refresh();
    this.#of(id);
    await this.claim();
    // A job that is just being taken here still says that it waits.
    if ((await this.#runner.abort(id)) && hasEnded(this.#of(id))) return this.get(id);
    const [job, { queue }] = [this.#of(id), this.#records.store];
    if (job.state === "queued" || job.state === "interrupted") {
      const before = { endedAt: undefined, ...job };
      const isWritten = await this.#records.end(job, { state: "cancelled" });
      if (!isWritten && queue !== undefined) {
        Object.assign(job, before);
        return this.cancel(id); // another server has taken it
      }
    } else if (job.state === "running" && queue !== undefined) {
      const ended = this.#records.watchers.ended(id);
      await queue.requestCancel(id);
      await ended;
    } else {
      const message = `The job "${id}" ${stateInWords[job.state].replace(" ", " already ")}`;
      throw new AppError("conflict", message, { param: "id" });
    }
    return this.get(id);
  }

  /**
   * Puts an interrupted, cancelled or failed job back into the queue.
   * @throws AppError `conflict` when it is in another state, or its inputs were removed.
   */
  async resume(id: string): Promise<Job> {
    await this.refresh();
    this.#of(id);
    await this.claim();
    const job = this.#of(id);
    checkResumable(job, this.#records.damageOf(id), this.#options.limits);
    const kind = this.#options.kinds[job.kind];
    if (kind === undefined) {
      const message = `Jobs of the kind "${job.kind}" cannot run here`;
      throw new AppError("conflict", message, { param: "id" });
    }
    if (!kind.isInternal) this.#refuseTooMany();
    const reset = { startedAt: undefined, endedAt: undefined, error: undefined, pid: process.pid };
    await this.#records.change(job, { state: "queued", ...reset });
    this.#runner.next();
    return this.get(id);
  }

  /**
   * Calls `listener` on every further change of the job. @returns a function that unsubscribes.
   */
  watch(id: string, listener: (job: Job) => void): () => void {
    this.#of(id);
    return this.#records.watchers.add(id, listener);
  }

  /** Fetches changes by other servers, where jobs are shared. @throws AppError as `claim` */
  async refresh(): Promise<void> {
    const { queue } = this.#records.store;
    if (queue === undefined || this.#isClosed) return;
    await this.claim();
    const { changed, removed } = await queue.pollChanges();
    // For jobs that run here, this server knows better.
    const changedElsewhere = changed.filter(({ id }) => !this.#runner.isRunning(id));
    this.#records.adopt({ changed: changedElsewhere, removed });
    this.#runner.next();
  }

  /** From now on watches jobs of other servers, where they are shared. */
  follow(): void {
    if (this.#isClosed || this.#records.store.queue === undefined) return;
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      this.refresh()
        .catch((error) => {
          if (this.#isClosed || error?.code === "storage_unavailable") return;
          this.#options.log.error({ err: error }, "the jobs of other servers could not be read");
        })
        .finally(() => this.follow());
    }, lookEveryMs);
    this.#looking.unref();
  }

  /**
   * In a folder, interrupts running and waiting jobs, so that they can be resumed after the next
   * start; in a database, other servers continue them.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#looking);
    const stopped = this.#runner.stop();
    const waiting = this.#records.all().filter((job) => job.state === "queued");
    if (this.#claimed !== undefined && this.#records.store.queue === undefined)
      await Promise.all(waiting.map((job) => this.#records.end(job, { state: "interrupted" })));
    await stopped;
  }

  async #takeOver(): Promise<void> {
    await this.#options.claim();
    if (this.#records.store.queue !== undefined) this.follow();
    else await this.#records.takeOver();
    this.#timer = setInterval(() => void this.#records.forgetExpired(), forgetEveryMs);
    this.#timer.unref();
  }

  #of(id: string): Job {
    const job = this.#records.find(id);
    if (job !== undefined) return job;
    throw noJob(id, this.#options.limits);
  }

  #refuseTooMany(): void {
    const queued = this.#records
      .all()
      .filter((job) => job.state === "queued" && !this.#options.kinds[job.kind]?.isInternal);
    const waiting = queued.length + this.#beingCreated;
    if (waiting < maxWaiting) return;
    throw new AppError("overloaded", `${waiting} jobs are already waiting`, {
      retryAfterSeconds: 60,
    });
  }
}
