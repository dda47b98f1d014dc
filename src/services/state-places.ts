import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ContentFiles } from "../files/content-files.js";
import { hashFile } from "../files/hash-file.js";
import { writeDurably } from "../files/write-durably.js";
import { connectionsTo } from "../index/postgres/open-postgres-store.js";
import {
  filesIn,
  lockFolder,
  readFileRows,
  removeFileRows,
  writeFileRows,
} from "../index/postgres/state/file-rows.js";
import { filesOfKind, rootOfKind, type StateKind } from "./state-kinds.js";

/** What changes in the files of a kind. */
interface StateChange {
  write: ReadonlyMap<string, Uint8Array>;
  remove: readonly string[];
}

/** A place that has heads, keys and the like: a data folder, or a database. */
export interface StatePlace {
  /** The sha256 of each file of a kind, by path. */
  sums(kind: StateKind): Promise<Map<string, string>>;
  read(kind: StateKind, path: string): Promise<Uint8Array>;
  change(kind: StateKind, change: StateChange): Promise<void>;
  /** How many jobs and files of kept media stay here whoever copies the rest. */
  left(): Promise<{ jobs: number; media: number }>;
  close(): Promise<void>;
}

/** @param dataDir  of no server, or of one that runs, which is only read then. */
export function stateInFolder(dataDir: string): StatePlace {
  const pathOf = (kind: StateKind, path: string) => join(rootOfKind(dataDir, kind), path);
  return {
    async sums(kind) {
      const sums = new Map<string, string>();
      for (const path of await filesOfKind(dataDir, kind))
        sums.set(path, await hashFile(pathOf(kind, path)));
      return sums;
    },
    read: (kind, path) => readFile(pathOf(kind, path)),
    async change(kind, { write, remove }) {
      // Deepest first: a file such as active.json names what is in folders.
      const paths = [...write.keys()].sort((a, b) => depth(b) - depth(a));
      for (const path of paths)
        await writeDurably(pathOf(kind, path), write.get(path) as Uint8Array, { mode: 0o600 });
      for (const path of remove) await rm(pathOf(kind, path), { force: true });
    },
    async left() {
      let media = 0;
      for await (const _ of new ContentFiles(join(dataDir, "media")).list()) media++;
      const jobs = await readdir(join(dataDir, "jobs")).catch(() => []);
      return { jobs: jobs.length, media };
    },
    close: async () => {},
  };
}

/** The tables are known to be there. */
export function stateInDatabase(url: string, passwordFile?: string): StatePlace {
  const connections = connectionsTo({ url, passwordFile, maxConnections: 1 });
  return {
    sums: (folder) => connections.read((db) => filesIn(db, folder)),
    read: (folder, path) => connections.read((db) => readFileRows(db, { folder, path })),
    change: (folder, { write, remove }) =>
      connections.write(async (db) => {
        await lockFolder(db, folder);
        for (const [path, bytes] of write) await writeFileRows(db, { folder, path }, bytes);
        for (const path of remove) await removeFileRows(db, { folder, path });
      }),
    left: () =>
      connections.read(async (db) => {
        const { rows } = await db.query(`select (select count(*) from crossmodal.jobs) as jobs,
          (select count(distinct sha256) from crossmodal.media) as media`);
        return rows[0];
      }),
    close: () => connections.close(),
  };
}

const depth = (path: string) => path.split("/").length;
