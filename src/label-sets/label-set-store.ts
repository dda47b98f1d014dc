import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../errors.js";
import { checkedJson, damaged, readCheckedJson } from "../files/checked-json.js";
import { refuseTwin } from "../files/refuse-twin.js";
import { type FolderChanges, orRefreshed, type StateFolder } from "../files/state-folder.js";
import { NameQueue } from "../heads/name-queue.js";
import { checkName } from "../heads/version-folder.js";

/** Named labels with everything that affects their scores: prompts, templates and thresholds. */
export const LabelSet = z.object({
  formatVersion: z.literal(1),
  name: z.string(),
  /** Increases with each change. */
  version: z.int().positive(),
  labels: z.array(
    z.object({
      label: z.string(),
      prompts: z.array(z.string()).optional(),
      threshold: z.number().optional(),
    }),
  ),
  templates: z.array(z.string()).optional(),
  templateSet: z.string().optional(),
  multiLabel: z.boolean(),
  /** The scores that the thresholds were chosen for. */
  thresholdsOf: z
    .object({
      space: z.string(),
      head: z.object({ name: z.string(), version: z.number() }).optional(),
      calibration: z.object({ name: z.string(), version: z.number() }).optional(),
    })
    .optional(),
  /** For `multi_label` and `reject`, where a request names none. */
  calibration: z.string().optional(),
  /** ISO 8601. */
  updatedAt: z.string(),
});
export type LabelSet = z.infer<typeof LabelSet>;

/** Label sets, a small file each. Read on demand, so there is nothing to keep in sync. */
export class LabelSetStore {
  readonly #files: StateFolder;
  readonly #queue = new NameQueue();

  constructor(files: StateFolder) {
    this.#files = files;
  }

  /** In the order of their names; of one that cannot be used, why. */
  async list(): Promise<(LabelSet | { name: string; error: string })[]> {
    return Promise.all(
      (await this.#names()).sort().map(async (name) => {
        try {
          return await this.get(name);
        } catch (error) {
          if (error instanceof AppError) return { name, error: error.message };
          throw error;
        }
      }),
    );
  }

  /** As the files are called: some disks would also find one in another case. */
  async #names(): Promise<string[]> {
    const folder = this.#files.path;
    if (!existsSync(folder)) return [];
    const files = (await readdir(folder)).filter((file) => file.endsWith(ending));
    return files.map((file) => file.slice(0, -ending.length));
  }

  /** @throws AppError `not_found`; `storage_corrupt`, naming the file. */
  get(name: string): Promise<LabelSet> {
    return orRefreshed(this.#files, () => this.#get(name));
  }

  async #get(name: string): Promise<LabelSet> {
    const path = this.#pathOf(name);
    if (!(await this.#names()).includes(name)) throw notFound(name);
    const read = LabelSet.safeParse(await readCheckedJson(path));
    if (!read.success) {
      const [{ path: at, message }] = read.error.issues;
      throw damaged(path, `${at.join(".")}: ${message}`);
    }
    if (read.data.name !== name) throw damaged(path, `it is that of "${read.data.name}"`);
    return read.data;
  }

  /**
   * Creates or replaces a set.
   * @throws AppError `invalid_input`, `conflict` for a name that cannot be one or differs from
   *   another in case alone; `storage_corrupt`.
   */
  put(
    name: string,
    set: Omit<LabelSet, "formatVersion" | "name" | "version" | "updatedAt">,
  ): Promise<LabelSet> {
    const file = fileOf(name);
    const put = async (changes: FolderChanges) => {
      const names = await this.#names();
      refuseTwin("label set", name, names);
      const before = names.includes(name) ? (await this.#get(name)).version : 0;
      const updatedAt = new Date().toISOString();
      const kept = LabelSet.parse({
        formatVersion: 1,
        name,
        version: before + 1,
        ...set,
        updatedAt,
      });
      await changes.write(file, checkedJson(kept));
      return kept;
    };
    return this.#queue.take(name, () => this.#files.change(put));
  }

  /** @throws AppError `not_found`. */
  remove(name: string): Promise<void> {
    const file = fileOf(name);
    const remove = async (changes: FolderChanges) => {
      if (!(await this.#names()).includes(name)) throw notFound(name);
      await changes.remove(file);
    };
    return this.#queue.take(name, () => this.#files.change(remove));
  }

  #pathOf(name: string): string {
    return join(this.#files.path, fileOf(name));
  }
}

const ending = ".json";
const fileOf = (name: string) => `${checkName(name)}${ending}`;

const notFound = (name: string) =>
  new AppError("not_found", `There is no label set "${name}"`, { param: "label_set" });
