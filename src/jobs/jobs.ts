import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { hasEnded, isResumable, type Job, type JobKind, stateInWords } from "./job.js";
import { JobRecords } from "./job-records.js";
import { defaultJobLimits, type JobLimits } from "./job-retention.js";
import { type During, JobRunner } from "./job-runner.js";
import type { JobInput } from "./job-store.js";

export interface JobsOptions {
  folder: string;
  kinds: Record<string, JobKind>;
  log: Log;
  limits?: JobLimits;
  /**
   * Makes this process the owner of the data folder and its jobs; rejects while another process is.
   */
  claim?: () => Promise<void>;
  /** Whether another process owns it. */
  isOwnedElsewhere?: () => boolean;
  /** Is given the work of each job. */
  during?: During;
}

/** Jobs of clients that may wait. */
const maxWaiting = 20;
/** How often expired jobs are removed. */
const forgetEveryMs = 600_000;

/**
 * Long work that outlives its process: every job is a folder, and jobs that were running when the
 * process ended can be resumed.
 *
 * Jobs belong to the process that holds the data folder. When a process takes it over, no other is
 * working: unfinished jobs are interrupted, whatever their files say.
 */
export class Jobs {
  readonly #options: Required<JobsOptions>;
  readonly #records: JobRecords;
  readonly #runner: JobRunner;
  /** Jobs being written before they are queued. */
  #beingCreated = 0;
  #claimed: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: JobsOptions) {
    const during: During = (work) => work;
    const alone = { claim: async () => {}, isOwnedElsewhere: () => false, during };
    this.#options = { limits: defaultJobLimits, ...alone, ...options };
    this.#records = new JobRecords(this.#options);
    this.#runner = new JobRunner(this.#records, this.#options);
  }

  /** Reads all jobs. Nothing is changed before this process owns the data folder. */
  static async open(options: JobsOptions): Promise<Jobs> {
    const jobs = new Jobs(options);
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
    const isInternal = this.#options.kinds[kind]?.isInternal === true;
    if (!isInternal) this.#refuseTooMany();
    const job: Job = {
      id: this.#records.store.newId(),
      kind,
      state: "queued",
      progress: 0,
      createdAt: new Date().toISOString(),
      pid: process.pid,
    };
    if (!isInternal) this.#beingCreated++;
    try {
      await this.#records.add(job, input);
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
    this.#of(id);
    await this.claim();
    const job = this.#of(id);
    if (job.state === "queued" || job.state === "interrupted") {
      await this.#records.end(job, { state: "cancelled" });
    } else if (job.state !== "running" || !(await this.#runner.abort(id))) {
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
    this.#of(id);
    await this.claim();
    const job = this.#of(id);
    const conflict = (message: string) => new AppError("conflict", message, { param: "id" });
    const damage = this.#records.damageOf(id);
    if (damage !== undefined) throw conflict(damage);
    if (job.inputRemoved) {
      const { maxResumableJobs, resumableJobHours } = this.#options.limits;
      throw conflict(
        `The job "${id}" can no longer be resumed: inputs are kept for ${resumableJobHours} ` +
          `hours, of the last ${maxResumableJobs} jobs (options resumableJobHours, ` +
          "maxResumableJobs)",
      );
    }
    if (!isResumable(job)) {
      throw conflict(
        `Only an interrupted, cancelled or failed job can be resumed; "${id}" ` +
          `${stateInWords[job.state]}`,
      );
    }
    const kind = this.#options.kinds[job.kind];
    if (kind === undefined) throw conflict(`Jobs of the kind "${job.kind}" cannot run here`);
    if (!kind.isInternal) this.#refuseTooMany();
    const anew = { startedAt: undefined, endedAt: undefined, error: undefined, pid: process.pid };
    await this.#records.change(job, { state: "queued", ...anew });
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

  /** Interrupts running and waiting jobs, so that they can be resumed after the next start. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const stopped = this.#runner.stop();
    const waiting = this.#records.all().filter((job) => job.state === "queued");
    if (this.#claimed !== undefined)
      await Promise.all(waiting.map((job) => this.#records.end(job, { state: "interrupted" })));
    await stopped;
  }

  async #takeOver(): Promise<void> {
    await this.#options.claim();
    await this.#records.readAll(); // the previous owner may have changed them
    for (const job of this.#records.all()) {
      if (!hasEnded(job)) await this.#records.end(job, { state: "interrupted" });
      else if (job.state === "succeeded" || job.inputRemoved) await this.#records.tidy(job.id);
    }
    await this.#records.forgetExpired();
    this.#timer = setInterval(() => void this.#records.forgetExpired(), forgetEveryMs);
    this.#timer.unref();
  }

  #of(id: string): Job {
    const job = this.#records.find(id);
    if (job !== undefined) return job;
    const { maxEndedJobs, endedJobHours } = this.#options.limits;
    const message =
      `There is no job "${id}"; ended jobs are kept for ${endedJobHours} hours, the last ` +
      `${maxEndedJobs} of them`;
    throw new AppError("not_found", message, { param: "id" });
  }

  #refuseTooMany(): void {
    const { kinds } = this.#options;
    const queued = this.#records
      .all()
      .filter((job) => job.state === "queued" && !kinds[job.kind]?.isInternal);
    const waiting = queued.length + this.#beingCreated;
    if (waiting < maxWaiting) return;
    throw new AppError("overloaded", `${waiting} jobs are already waiting`, {
      retryAfterSeconds: 60,
    });
  }
}
