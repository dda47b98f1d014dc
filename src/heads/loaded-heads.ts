import { readWeights } from "./head-folder.js";
import type { HeadRecords } from "./head-records.js";
import type { UsableHead } from "./head-version.js";
import { namesIn, versionIn } from "./version-folder.js";

/** The weights of versions in use, read when first asked for. */
export class LoadedHeads {
  readonly #records: HeadRecords;
  /** By name and version. */
  readonly #loaded = new Map<string, Map<number, Promise<UsableHead>>>();

  constructor(records: HeadRecords) {
    this.#records = records;
  }

  /** @throws AppError as `HeadStore.use` */
  async use(name: string, version = this.#records.active(name)): Promise<UsableHead> {
    const described = this.#records.readable(name, version);
    const ofName = this.#loaded.get(name) ?? new Map<number, Promise<UsableHead>>();
    this.#loaded.set(name, ofName);
    const found = ofName.get(version);
    if (found !== undefined) return found;
    const loading = readWeights(described, this.#records.place(name, version));
    ofName.set(version, loading);
    const { faults } = this.#records.get(name);
    loading.then(
      () => faults.delete(version),
      (error: Error) => {
        faults.set(version, error.message);
        ofName.delete(version); // a file put back is read again
      },
    );
    return loading;
  }

  /** Drops versions of which a file changed. */
  forget(paths: readonly string[]): void {
    for (const name of namesIn(paths)) {
      if (paths.includes(name)) this.#loaded.delete(name);
      for (const path of paths) {
        const version = versionIn(path);
        if (path.startsWith(`${name}/`) && version !== undefined)
          this.#loaded.get(name)?.delete(version);
      }
    }
  }
}
