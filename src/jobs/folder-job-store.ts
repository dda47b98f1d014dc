import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { checkedJson, damaged, readCheckedJson } from "../files/checked-json.js";
import { hashFile } from "../files/hash-file.js";
import { isLeftover } from "../files/is-leftover.js";
import { renameDurably, writeDurably } from "../files/write-durably.js";
import type { Log } from "../log.js";
import type { Job, JobData } from "./job.js";
import type { FoundJob, JobInput, JobStore } from "./job-store.js";

const timestamp = z.string().refine((text) => !Number.isNaN(Date.parse(text)));
const data = z.record(z.string(), z.unknown());
/** `job.json` */
const StoredJob = z.looseObject({
  id: z.string(),
  kind: z.string(),
  subject: z.string().optional(),
  state: z.enum(["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]),
  progress: z.number().min(0).max(1),
  detail: data.optional(),
  createdAt: timestamp,
  startedAt: timestamp.optional(),
  endedAt: timestamp.optional(),
  result: data.optional(),
  error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
  inputRemoved: z.boolean().optional(),
});

/**
 * One folder a job under `folder`: `job.json` (its state), `input.json` (never changed),
 * `inputs.json` (the sha256 of each input file), and the job's own files.
 */
export class FolderJobStore implements JobStore {
  readonly #folder: string;
  readonly #log: Log;

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  folderOf(id: string): string {
    return join(this.#folder, id);
  }

  /** The folder gets its name once everything in it is on disk. */
  async create(job: Job, { data, files = {} }: JobInput): Promise<void> {
    const building = `${this.folderOf(job.id)}.new`;
    try {
      const sums: Record<string, string> = {};
      for (const [name, bytes] of [
        ...Object.entries(files),
        ["input.json", JSON.stringify(data)] as const,
      ]) {
        await writeDurably(join(building, name), bytes);
        sums[name] = await hashFile(join(building, name));
      }
      await writeDurably(join(building, "inputs.json"), checkedJson(sums));
      await writeDurably(join(building, "job.json"), checkedJson(job));
      await renameDurably(building, this.folderOf(job.id));
    } catch (error) {
      await rm(building, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }

  async write(job: Job): Promise<void> {
    await writeDurably(join(this.folderOf(job.id), "job.json"), checkedJson(job));
  }

  /**
   * @throws AppError `storage_corrupt` when one of the job's input files was changed.
   */
  async input(id: string): Promise<JobData> {
    const folder = this.folderOf(id);
    const sums = await readCheckedJson(join(folder, "inputs.json"));
    for (const [name, sum] of Object.entries(sums)) {
      const path = join(folder, name);
      if (!existsSync(path)) throw damaged(path, "it is missing");
      if ((await hashFile(path)) !== sum) throw damaged(path, "its contents were changed");
    }
    return JSON.parse(await readFile(join(folder, "input.json"), "utf8")) as JobData;
  }

  /** Every job, oldest first. Unfinished folders are removed. */
  async readAll(): Promise<FoundJob[]> {
    if (!existsSync(this.#folder)) return [];
    const found: FoundJob[] = [];
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      const { name } = entry;
      if (!entry.isDirectory()) continue;
      if (name.endsWith(".new")) {
        const building = join(this.#folder, name);
        if (await isLeftover(building)) await rm(building, { recursive: true, force: true });
      } else found.push(await this.#read(name));
    }
    return found.sort((one, other) => one.job.createdAt.localeCompare(other.job.createdAt));
  }

  /** Keeps only `job.json`: a job that succeeded needs neither its data nor its checkpoint. */
  async keepOnlyState(id: string): Promise<void> {
    const folder = this.folderOf(id);
    for (const name of await readdir(folder)) {
      if (name !== "job.json") await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.folderOf(id), { recursive: true, force: true });
  }

  async #read(id: string): Promise<FoundJob> {
    const path = join(this.folderOf(id), "job.json");
    try {
      const parsed = StoredJob.safeParse(await readCheckedJson(path));
      if (!parsed.success)
        throw damaged(path, `"${parsed.error.issues[0].path.join(".")}" cannot be read`);
      if (parsed.data.id !== id) throw damaged(path, `it belongs to the job "${parsed.data.id}"`);
      return { job: parsed.data as Job };
    } catch (error) {
      this.#log.error({ err: error, job: id }, "a job cannot be read");
      const message = error instanceof Error ? error.message : String(error);
      const at = await stat(this.folderOf(id)).then(({ mtime }) => mtime.toISOString());
      return {
        damage: message,
        job: {
          id,
          kind: "unknown",
          state: "failed",
          progress: 0,
          createdAt: at,
          endedAt: at,
          error: { code: "storage_corrupt", message },
        },
      };
    }
  }
}
