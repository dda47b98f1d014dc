import type { TakenJob } from "../../../jobs/job-store.js";
import type { Log } from "../../../log.js";
import type { Connections } from "../connections.js";
import type { RunFiles } from "./job-files.js";
import { type JobHead, renewLease, type TakenRow } from "./job-rows.js";

interface LeaseOptions {
  connections: Connections;
  row: TakenRow;
  leaseMs: number;
  renewEveryMs: number;
  files: RunFiles;
  controller: AbortController;
  onRelease: () => void;
  log: Log | undefined;
}

/**
 * A job that this server runs: its lease is renewed and its checkpoints are stored until it is
 * released. While the database is away nothing is renewed, nor can another server take the job.
 */
export class JobLease implements TakenJob {
  readonly id: string;
  readonly deaths: number;
  /** Of the last change made here. */
  fence: number;
  readonly #options: LeaseOptions;
  readonly #timer: NodeJS.Timeout;
  #isLost = false;
  #isOver = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
    const { row, renewEveryMs } = options;
    this.id = row.id;
    this.deaths = row.deaths;
    this.fence = row.fence;
    this.#timer = setInterval(() => void this.#renew(), renewEveryMs);
    this.#timer.unref();
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  save(): Promise<void> {
    return this.#options.files.store();
  }

  /** What was written to the job here. */
  changed({ fence, state }: JobHead): void {
    this.fence = fence;
    if (state !== "running") this.#end();
  }

  /** What was read of the job. */
  seen({ fence, cancel }: JobHead): void {
    if (fence > this.fence) this.markLost();
    else if (cancel) this.#options.controller.abort();
  }

  markLost(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#end();
    this.#options.controller.abort();
  }

  release(): void {
    this.#end();
    this.#options.onRelease();
  }

  #end(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    const { connections, row, leaseMs, files, log } = this.#options;
    const lease = { fence: this.fence, leaseMs };
    try {
      if (await connections.write((db) => renewLease(db, row.id, lease))) await files.store();
      else if (!this.#isOver) this.markLost();
    } catch (error) {
      log?.warn({ err: error, job: row.id }, "the lease of a job could not be renewed");
    }
  }
}
