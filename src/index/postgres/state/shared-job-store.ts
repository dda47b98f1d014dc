import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../errors.js";
import type { Job, JobData } from "../../../jobs/job.js";
import type {
  FoundJob,
  JobChanges,
  JobInput,
  JobPlacement,
  JobQueue,
  JobStore,
  TakenJob,
} from "../../../jobs/job-store.js";
import type { Log } from "../../../log.js";
import type { Connection, Connections } from "../connections.js";
import { fetchFiles, RunFiles, removeFiles, storeInputs } from "./job-files.js";
import { JobLease } from "./job-lease.js";
import {
  deleteJob,
  insertJob,
  type JobHead,
  jobHeads,
  readJobs,
  requestCancel,
  takeJob,
  writeJob,
} from "./job-rows.js";

export interface SharedJobStoreOptions {
  connections: Connections;
  /** For the files of jobs that run here. */
  folder: string;
  /** Name of this server, the same after a restart; no other process may use it. */
  server: () => string;
  /** After this time without a sign of life another server continues a job. */
  leaseMs?: number;
  /** How often a server renews it, and stores checkpoints. */
  renewEveryMs?: number;
  log?: Log;
}

/** The jobs of all servers of a database. */
export class SharedJobStore implements JobStore, JobQueue {
  readonly queue: JobQueue = this;
  readonly #options: SharedJobStoreOptions;
  readonly #connections: Connections;
  readonly #leaseMs: number;
  readonly #renewEveryMs: number;
  readonly #known = new Map<string, JobHead>();
  readonly #held = new Map<string, JobLease>();
  #looking: Promise<unknown> = Promise.resolve();

  constructor(options: SharedJobStoreOptions) {
    this.#options = options;
    this.#connections = options.connections;
    this.#leaseMs = options.leaseMs ?? 10_000;
    this.#renewEveryMs = options.renewEveryMs ?? 2_000;
  }

  folderOf(id: string): string {
    return join(this.#options.folder, id);
  }

  async create(job: Job, { data, files = {} }: JobInput, placement: JobPlacement): Promise<void> {
    const { lane, isLocal } = placement;
    const home = isLocal ? this.#options.server() : undefined;
    const inputs = { ...files, "input.json": Buffer.from(JSON.stringify(data)) };
    const head = await this.#connections.write(async (db) => {
      await storeInputs(db, job.id, inputs);
      return insertJob(db, job, { lane, home });
    });
    this.#know(head);
  }

  async write(job: Job): Promise<void> {
    const fence = this.#held.get(job.id)?.fence ?? this.#known.get(job.id)?.fence ?? 0;
    const written = await this.#connections.write((db) => writeJob(db, job, fence));
    if (written !== undefined) {
      this.#know(written);
      this.#held.get(job.id)?.changed(written);
      return;
    }
    this.#held.get(job.id)?.markLost();
    const message = `The job "${job.id}" was changed on another server in the meantime; try again`;
    throw new AppError("conflict", message, { param: "id" });
  }

  /** They are in the job's folder since it was taken, checked. */
  async input(id: string): Promise<JobData> {
    return JSON.parse(await readFile(join(this.folderOf(id), "input.json"), "utf8")) as JobData;
  }

  async readAll(): Promise<FoundJob[]> {
    return (await this.pollChanges()).changed.map((job) => ({ job }));
  }

  async keepOnlyState(id: string): Promise<void> {
    await this.#connections.write((db) => removeFiles(db, id));
    await rm(this.folderOf(id), { recursive: true, force: true });
  }

  async remove(id: string): Promise<void> {
    await this.#connections.write(async (db) => {
      await removeFiles(db, id);
      await deleteJob(db, id);
    });
    this.#known.delete(id);
    await rm(this.folderOf(id), { recursive: true, force: true });
  }

  /** One after the other: each change is reported once. */
  pollChanges(): Promise<JobChanges> {
    const looked = this.#looking.then(() => this.#connections.read((db) => this.#look(db)));
    this.#looking = looked.catch(() => undefined);
    return looked;
  }

  async #look(db: Connection): Promise<JobChanges> {
    const heads = await jobHeads(db);
    const hasChanged = ({ id, revision }: JobHead) =>
      revision > (this.#known.get(id)?.revision ?? -1);
    const changed = heads.filter(hasChanged).map(({ id }) => id);
    const presentIds = new Set(heads.map(({ id }) => id));
    const removed = [...this.#known.keys()].filter((id) => !presentIds.has(id));
    const jobs = changed.length > 0 ? await readJobs(db, changed) : [];
    for (const head of heads) {
      this.#know(head);
      this.#held.get(head.id)?.seen(head);
    }
    for (const id of removed) this.#known.delete(id);
    return { changed: jobs, removed };
  }

  /** A head that was read before a later change may arrive after it. */
  #know(head: JobHead): void {
    if (head.revision >= (this.#known.get(head.id)?.revision ?? -1)) this.#known.set(head.id, head);
  }

  isFree({ id, state }: Job): boolean {
    const head = this.#known.get(id);
    const server = this.#options.server();
    if (head === undefined || (head.home !== null && head.home !== server)) return false;
    if (state === "queued") return true;
    // Nobody else renews the lease of an earlier process of this server.
    const isOver = head.expired || (head.owner === server && !this.#held.has(id));
    return state === "running" && isOver;
  }

  async take(job: Job, controller: AbortController): Promise<TakenJob | undefined> {
    const { id } = job;
    const { server, log } = this.#options;
    const claim = { server: server(), leaseMs: this.#leaseMs };
    const row = await this.#connections
      .write((db) => takeJob(db, id, claim))
      .catch((error: Error) => {
        const cause = error.cause as { code?: string } | undefined;
        if (cause?.code === "23505") return undefined; // another one runs in its lane
        throw error;
      });
    if (row === undefined) return undefined;
    this.#know(row);
    const path = this.folderOf(id);
    const files = new RunFiles(this.#connections, { id, fence: row.fence, path });
    const lease = new JobLease({
      ...{ connections: this.#connections, row, files, controller, log },
      leaseMs: this.#leaseMs,
      renewEveryMs: this.#renewEveryMs,
      onRelease: () => this.#held.delete(id),
    });
    this.#held.set(id, lease);
    try {
      await this.#connections.read((db) => fetchFiles(db, id, path));
      await files.begin();
      lease.seen(row); // it may have been cancelled while its server was gone
    } catch (error) {
      lease.release();
      throw error;
    }
    return lease;
  }

  async requestCancel(id: string): Promise<void> {
    await this.#connections.write((db) => requestCancel(db, id));
  }
}
