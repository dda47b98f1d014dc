import { join } from "node:path";
import type { Log } from "../../../log.js";
import type { Connections } from "../connections.js";
import { type DatabaseCondition, databaseCondition } from "../replication.js";
import { folderEpochs } from "./file-rows.js";
import { MirroredFolder } from "./mirrored-folder.js";
import { SharedJobStore } from "./shared-job-store.js";

/** How often a server checks for changes by others. */
const lookEveryMs = 150;

export interface SharedStateOptions {
  connections: Connections;
  /** Where the copies are. */
  folder: string;
  /** Name of this server, the same after a restart. */
  server: () => string;
  /** Resolves when the tables are there and this process may write to `folder`. */
  ready: () => Promise<void>;
  /** Called with failures in the background. */
  log?: Log;
}

/**
 * What servers share besides collections, in folders by kind. A server looks at their epochs a few
 * times a second: a notification would get lost with its connection.
 */
export class SharedState {
  readonly jobs: SharedJobStore;
  readonly #connections: Connections;
  readonly #folder: string;
  readonly #ready: () => Promise<void>;
  readonly #log: Log | undefined;
  readonly #folders = new Map<string, MirroredFolder>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({ connections, folder, server, ready, log }: SharedStateOptions) {
    this.jobs = new SharedJobStore({ connections, folder: join(folder, "jobs"), server, log });
    this.#connections = connections;
    this.#folder = folder;
    this.#ready = ready;
    this.#log = log;
  }

  folder(name: string): MirroredFolder {
    const found = this.#folders.get(name);
    if (found !== undefined) return found;
    const folder = new MirroredFolder({
      connections: this.#connections,
      name,
      path: join(this.#folder, name),
      ready: this.#ready,
    });
    this.#folders.set(name, folder);
    return folder;
  }

  /** Fetches changes by other servers. @throws AppError `storage_unavailable` */
  async refresh(): Promise<void> {
    await this.#ready();
    const epochs = await this.#connections.read(folderEpochs);
    for (const folder of this.#folders.values())
      if ((epochs.get(folder.name) ?? 0) !== folder.epoch) await folder.load();
  }

  /** As `refresh`, where the tables are known to be there. */
  async load(): Promise<void> {
    for (const folder of this.#folders.values()) await folder.load();
  }

  /** From now on fetches changes by other servers. */
  follow(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.refresh()
        .catch((error) => {
          if (!this.#isClosed && error?.code !== "storage_unavailable")
            this.#log?.error({ err: error }, "what other servers changed could not be fetched");
        })
        .finally(() => this.follow());
    }, lookEveryMs);
    this.#timer.unref();
  }

  condition(): Promise<DatabaseCondition> {
    return databaseCondition(this.#connections);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#connections.close();
  }
}
