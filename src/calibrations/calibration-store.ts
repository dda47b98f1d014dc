import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../errors.js";
import { type FolderChanges, orRefreshed, type StateFolder } from "../files/state-folder.js";
import { NameQueue } from "../heads/name-queue.js";
import {
  activeIn,
  checkName,
  namesIn,
  VersionFolder,
  type Versions,
  verifyVersion,
} from "../heads/version-folder.js";
import type { Log } from "../log.js";
import { type Rows, rowCount } from "../math/rows.js";
import { readSafetensors, writeSafetensors } from "../math/safetensors.js";
import { Recent } from "../recent.js";
import { type Calibration, CalibrationFile } from "./calibration.js";

const param = "calibration";
/** Versions whose background is kept in memory. */
const maxLoaded = 16;

export type ListedCalibration = Omit<Versions, "numbers" | "history"> & {
  active: number | undefined;
  versions: ({ version: number } & (CalibrationFile | { unusable: string }))[];
};

/** Calibrations, each with its versions, of which at most one is active. */
export class CalibrationStore {
  readonly #files: StateFolder;
  readonly #folder: VersionFolder;
  readonly #log: Log;
  readonly #queue = new NameQueue();
  readonly #loaded = new Recent<Calibration>(maxLoaded);

  constructor({ files, log }: { files: StateFolder; log: Log }) {
    this.#files = files;
    this.#folder = new VersionFolder(files.path, param);
    this.#log = log;
    files.onChange = (paths) => {
      const changed = namesIn(paths);
      this.#loaded.forget((key) => changed.includes(key.split("/")[0]));
    };
  }

  async list(): Promise<ListedCalibration[]> {
    return Promise.all((await this.#folder.list()).map((found) => this.#listed(found)));
  }

  /** @throws AppError `not_found` */
  async get(name: string): Promise<ListedCalibration> {
    return this.#listed(await this.#found(name));
  }

  /** Problems with the files, in sentences. */
  async damage(): Promise<string[]> {
    return (await this.list()).flatMap(({ damage, versions }) => [
      ...(damage === undefined ? [] : [damage]),
      ...versions.flatMap((version) => ("unusable" in version ? [version.unusable] : [])),
    ]);
  }

  /**
   * The active version, or another.
   * @throws AppError `not_found`, `conflict` when none is active, `storage_corrupt`.
   */
  async use(name: string, version?: number): Promise<Calibration> {
    return orRefreshed(this.#files, () => this.#use(name, version));
  }

  async #use(name: string, version?: number): Promise<Calibration> {
    const { numbers, history, damage } = await this.#found(name);
    if (version === undefined && damage !== undefined)
      throw new AppError("storage_corrupt", damage, { param });
    const chosen = version ?? activeIn(history);
    if (chosen === undefined) {
      const message = `No version of the calibration "${name}" is active`;
      throw new AppError("conflict", message, { param });
    }
    if (!numbers.includes(chosen)) throw noVersion(name, chosen);
    return this.#load(name, chosen);
  }

  /** As `VersionFolder.checkNew`. */
  checkNew = (name: string): Promise<void> => this.#folder.checkNew(name);

  /** @returns the number of the new version. */
  async add(name: string, file: CalibrationFile, background: Rows): Promise<number> {
    checkName(name);
    const { values, dimensions } = background;
    const tensors = {
      background: { shape: [rowCount(background), dimensions], data: values },
    };
    const files = {
      "calibration.json": `${JSON.stringify(CalibrationFile.parse(file))}\n`,
      "background.safetensors": writeSafetensors({ tensors, metadata: {} }),
    };
    const add = (changes: FolderChanges) => this.#folder.add(changes, name, files);
    return this.#queue.take(name, () => this.#files.change(add));
  }

  /** @throws AppError `not_found`, `storage_corrupt` */
  activate(name: string, version: number): Promise<void> {
    const activate = (changes: FolderChanges) => this.#activate(changes, name, version);
    return this.#queue.take(name, () => this.#files.change(activate));
  }

  async #activate(changes: FolderChanges, name: string, version: number): Promise<void> {
    const { numbers, history } = await this.#found(name);
    if (!numbers.includes(version)) throw noVersion(name, version);
    await this.#load(name, version);
    const others = history.filter((one) => one !== version && numbers.includes(one));
    await this.#folder.setHistory(changes, name, [...others, version]);
  }

  /** @throws AppError `not_found` */
  remove(name: string): Promise<void> {
    const remove = async (changes: FolderChanges) => {
      await this.#found(name);
      await this.#folder.remove(changes, name);
    };
    return this.#queue.take(name, () => this.#files.change(remove));
  }

  async #found(name: string): Promise<Versions> {
    const found = await this.#folder.get(checkName(name, param));
    if (found.numbers.length > 0 || found.history.length > 0) return found;
    throw new AppError("not_found", `There is no calibration "${name}"`, { param });
  }

  async #listed({ name, numbers, history, damage }: Versions): Promise<ListedCalibration> {
    const versions = numbers.map(async (version) => {
      try {
        return { version, ...(await this.#describe(name, version)) };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return {
          version,
          unusable: `Version ${version} of the calibration "${name}" cannot be used: ${why}`,
        };
      }
    });
    const active = damage === undefined ? activeIn(history) : undefined;
    return { name, damage, active, versions: await Promise.all(versions) };
  }

  async #describe(name: string, version: number): Promise<CalibrationFile> {
    const folder = this.#folder.pathOf(name, version);
    await verifyVersion(folder, name, version);
    const text = await readFile(join(folder, "calibration.json"), "utf8");
    return CalibrationFile.parse(JSON.parse(text));
  }

  #load(name: string, version: number): Promise<Calibration> {
    return this.#loaded.get(`${name}/${version}`, () => this.#read(name, version));
  }

  async #read(name: string, version: number): Promise<Calibration> {
    const folder = this.#folder.pathOf(name, version);
    try {
      const file = await this.#describe(name, version);
      const bytes = await readFile(join(folder, "background.safetensors"));
      const { shape, data } = readSafetensors(bytes).tensors.background;
      if (shape.length !== 2 || shape[0] !== file.backgroundLabels.length)
        throw new AppError("storage_corrupt", "its background and labels do not match");
      return { ...file, name, version, background: { values: data, dimensions: shape[1] } };
    } catch (error) {
      this.#log.error({ err: error, calibration: name, version }, "a calibration cannot be read");
      const why = error instanceof AppError ? error.message : "one of its files cannot be read";
      const message = `Version ${version} of the calibration "${name}" cannot be used: ${why}`;
      throw new AppError("storage_corrupt", message, { param, cause: error });
    }
  }
}

const noVersion = (name: string, version: number) =>
  new AppError("not_found", `The calibration "${name}" has no version ${version}`, {
    param: "version",
  });
