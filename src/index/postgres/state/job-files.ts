import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "../../../files/write-durably.js";
import type { Connection, Connections } from "../connections.js";
import { readFileRows, removeFileRows, writeFileRows } from "./file-rows.js";

const folder = "jobs";

/**
 * The files of a job in the database: inputs under fence 0, and what each of its runs has made
 * under the run's own. A run that was taken over can thus change nothing of the one after it.
 */
export async function storeInputs(
  db: Connection,
  id: string,
  files: Record<string, Uint8Array>,
): Promise<void> {
  for (const [name, bytes] of Object.entries(files))
    await writeFileRows(db, { folder, path: `${id}/0/${name}` }, bytes);
}

export const removeFiles = (db: Connection, id: string): Promise<void> =>
  removeFileRows(db, { folder, path: id });

/** The newest of each of a job's files -> `path`, which is emptied before. */
export async function fetchFiles(db: Connection, id: string, path: string): Promise<void> {
  const { rows } = await db.query(
    `select distinct on (name) path, name from (
        select path, split_part(path, '/', 3) as name, split_part(path, '/', 2)::bigint as fence
          from crossmodal.files where folder = $1 and starts_with(path, $2 || '/')
      ) files order by name, fence desc`,
    [folder, id],
  );
  await rm(path, { recursive: true, force: true });
  for (const row of rows) {
    const bytes = await readFileRows(db, { folder, path: row.path });
    await writeDurably(join(path, row.name), bytes);
  }
}

/** Stores what a run has changed in its folder since it began, or since the last call. */
export class RunFiles {
  readonly #connections: Connections;
  readonly #run: { id: string; fence: number; path: string };
  readonly #stored = new Map<string, string>();
  #last: Promise<void> = Promise.resolve();

  constructor(connections: Connections, run: { id: string; fence: number; path: string }) {
    this.#connections = connections;
    this.#run = run;
  }

  /** Files that already exist are in the database. */
  async begin(): Promise<void> {
    for (const [name, state] of await this.#states()) this.#stored.set(name, state);
  }

  /** One after the other. */
  store(): Promise<void> {
    const stored = this.#last.then(() => this.#store());
    this.#last = stored.catch(() => undefined);
    return stored;
  }

  async #store(): Promise<void> {
    const { id, fence, path } = this.#run;
    for (const [name, state] of await this.#states()) {
      if (this.#stored.get(name) === state) continue;
      const bytes = await readFile(join(path, name)).catch(() => undefined); // removed meanwhile
      if (bytes === undefined) continue;
      const place = { folder, path: `${id}/${fence}/${name}` };
      await this.#connections.write((db) => writeFileRows(db, place, bytes));
      this.#stored.set(name, state);
    }
  }

  /** For each complete file, what shows whether it has changed. */
  async #states(): Promise<Map<string, string>> {
    const { path } = this.#run;
    const states = new Map<string, string>();
    for (const name of existsSync(path) ? await readdir(path) : []) {
      if (name.endsWith(".part")) continue;
      const found = await stat(join(path, name)).catch(() => undefined);
      if (found?.isFile()) states.set(name, `${found.ino} ${found.size} ${found.mtimeMs}`);
    }
    return states;
  }
}
