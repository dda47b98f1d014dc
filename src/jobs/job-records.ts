import type { Log } from "../log.js";
import { hasEnded, type Job, type JobData } from "./job.js";
import { expiredJobs, type JobLimits } from "./job-retention.js";
import type { JobChanges, JobInput, JobPlacement, JobStore } from "./job-store.js";
import { JobWatchers } from "./job-watchers.js";

/** Progress is written at most this often. */
const writeEveryMs = 1000;

/** All jobs, in memory and, once a change is written, in their store. */
export class JobRecords {
  readonly store: JobStore;
  readonly watchers = new JobWatchers();
  readonly #limits: JobLimits;
  readonly #log: Log;
  /** By id, oldest first. */
  readonly #jobs = new Map<string, Job>();
  /** Why the file of a job cannot be used. */
  readonly #damage = new Map<string, string>();
  readonly #lastWrite = new Map<string, { at: number; done: Promise<void> }>();

  constructor({ store, limits, log }: { store: JobStore; limits: JobLimits; log: Log }) {
    this.store = store;
    this.#limits = limits;
    this.#log = log;
  }

  async readAll(): Promise<void> {
    const found = await this.store.readAll();
    this.#jobs.clear();
    this.#damage.clear();
    for (const { job, damage } of found) {
      this.#jobs.set(job.id, job);
      if (damage !== undefined) this.#damage.set(job.id, damage);
    }
  }

  /** For a folder taken over from another process: unfinished jobs count as interrupted. */
  async takeOver(): Promise<void> {
    await this.readAll(); // the previous owner may have changed them
    for (const job of this.all()) {
      if (!hasEnded(job)) await this.end(job, { state: "interrupted" });
      else if (job.state === "succeeded" || job.inputRemoved) await this.tidy(job.id);
    }
    await this.forgetExpired();
  }

  /** Oldest first. */
  all(): Job[] {
    return [...this.#jobs.values()];
  }

  find(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Why a job's file cannot be used. */
  damageOf(id: string): string | undefined {
    return this.#damage.get(id);
  }

  damage(): string[] {
    return [...this.#damage.values()];
  }

  async add(job: Job, input: JobInput, kind: JobPlacement): Promise<void> {
    await this.store.create(job, input, kind);
    this.#jobs.set(job.id, job);
  }

  /** Takes over the changes by other servers. */
  adopt({ changed, removed }: JobChanges): void {
    for (const id of removed) this.#jobs.delete(id);
    const isNew = changed.some(({ id }) => !this.#jobs.has(id));
    for (const job of changed) this.#jobs.set(job.id, job);
    if (isNew) {
      const all = this.all().sort((one, other) => one.createdAt.localeCompare(other.createdAt));
      this.#jobs.clear();
      for (const job of all) this.#jobs.set(job.id, job);
    }
    for (const job of changed) this.watchers.notify(job);
  }

  /** Watchers are notified once a change is on disk. */
  async change(job: Job, change: Partial<Job>): Promise<void> {
    Object.assign(job, change);
    const { done } = this.#lastWrite.get(job.id) ?? { done: Promise.resolve() };
    const written = done.then(() => this.store.write(job));
    const write = { at: performance.now(), done: written.catch(() => undefined) };
    this.#lastWrite.set(job.id, write);
    try {
      await written;
    } finally {
      if (hasEnded(job) && this.#lastWrite.get(job.id) === write) this.#lastWrite.delete(job.id);
      this.watchers.notify(job);
    }
  }

  /** A job's end is final even when it cannot be written. @returns whether it was. */
  async end(job: Job, change: Partial<Job>): Promise<boolean> {
    try {
      await this.change(job, { endedAt: new Date().toISOString(), ...change });
      return true;
    } catch (error) {
      const message = "the end of a job could not be saved";
      this.#log.error({ err: error, job: job.id }, message);
      return false;
    }
  }

  report(job: Job, progress: number, detail?: JobData): void {
    if (job.state !== "running") return;
    job.progress = Math.min(1, Math.max(0, progress));
    if (detail !== undefined) job.detail = detail;
    const { at } = this.#lastWrite.get(job.id) ?? { at: 0 };
    if (performance.now() - at > writeEveryMs) {
      this.change(job, {}).catch((error) =>
        this.#log.warn({ err: error, job: job.id }, "progress not written"),
      );
    } else this.watchers.notify(job);
  }

  /** Removes a job's inputs. */
  async tidy(id: string): Promise<void> {
    await this.store.keepOnlyState(id).catch((error) => {
      this.#log.warn({ err: error, job: id }, "a job's inputs could not be removed");
    });
  }

  /** Removes expired jobs and inputs (see job-retention.ts). */
  async forgetExpired(): Promise<void> {
    const { forget, dropInput } = expiredJobs(this.#jobs.values(), this.#limits, Date.now());
    for (const { id } of forget) {
      this.#jobs.delete(id);
      this.#damage.delete(id);
    }
    // Before any await, so that none is resumed meanwhile
    for (const job of dropInput) job.inputRemoved = true;
    try {
      for (const { id } of forget) await this.store.remove(id);
      for (const job of dropInput) await this.change(job, {});
      for (const { id } of dropInput) await this.tidy(id);
    } catch (error) {
      this.#log.warn({ err: error }, "expired jobs could not be removed");
    }
  }
}
