import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { isLeftover } from "../files/is-leftover.js";
import { writeDurably } from "../files/write-durably.js";
import type { Log } from "../log.js";
import type { Job, JobData } from "./job.js";

/** What a job is made from: plain JSON, and large arrays as files in the job's folder. */
export interface JobInput {
  data: JobData;
  files?: Record<string, Uint8Array>;
}

/** One folder a job under `folder`: `job.json` (its state), `input.json` (never changed), and what the job keeps. */
export class JobStore {
  readonly #folder: string;
  readonly #log: Log;

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  folderOf(id: string): string {
    return join(this.#folder, id);
  }

  newId(): string {
    return randomBytes(6).toString("hex");
  }

  /** The folder appears under its name when everything in it is on the disk. */
  async create(job: Job, { data, files = {} }: JobInput): Promise<void> {
    const building = `${this.folderOf(job.id)}.new`;
    try {
      for (const [name, bytes] of Object.entries(files))
        await writeDurably(join(building, name), bytes);
      await writeDurably(join(building, "input.json"), JSON.stringify(data));
      await writeDurably(join(building, "job.json"), JSON.stringify(job));
      await rename(building, this.folderOf(job.id));
    } catch (error) {
      await rm(building, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }

  async write(job: Job): Promise<void> {
    await writeDurably(join(this.folderOf(job.id), "job.json"), JSON.stringify(job));
  }

  async input(id: string): Promise<JobData> {
    return JSON.parse(await readFile(join(this.folderOf(id), "input.json"), "utf8")) as JobData;
  }

  /** Every job, oldest first. A folder that holds no job is logged and left alone; one that was never finished is removed. */
  async readAll(): Promise<Job[]> {
    if (!existsSync(this.#folder)) return [];
    const jobs: Job[] = [];
    for (const name of await readdir(this.#folder)) {
      if (name.endsWith(".new")) {
        const building = join(this.#folder, name);
        if (await isLeftover(building)) await rm(building, { recursive: true, force: true });
        continue;
      }
      try {
        const job = JSON.parse(await readFile(join(this.#folder, name, "job.json"), "utf8")) as Job;
        if (job.id === name) jobs.push(job);
      } catch (error) {
        this.#log.error({ err: error, job: name }, "a job cannot be read");
      }
    }
    return jobs.sort((one, other) => one.createdAt.localeCompare(other.createdAt));
  }

  /** Keeps `job.json` alone: a job that succeeded needs neither its data nor its checkpoint. */
  async keepOnlyState(id: string): Promise<void> {
    const folder = this.folderOf(id);
    for (const name of await readdir(folder)) {
      if (name !== "job.json") await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.folderOf(id), { recursive: true, force: true });
  }
}
