import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkedJson, readCheckedJson } from "../files/checked-json.js";
import type { FolderChanges } from "../files/state-folder.js";
import type { Log } from "../log.js";
import type { Bridge } from "./bridge-version.js";

/** In the folder of the bridges. */
export const latestFile = "latest.json";

/** A file with the names of bridges in the order of their last activation, newest first. */
export class LatestBridges {
  readonly #path: string;
  #names: string[] = [];

  constructor(folder: string) {
    this.#path = join(folder, latestFile);
  }

  /** A damaged file loses only the order. */
  async read(log: Log): Promise<void> {
    if (!existsSync(this.#path)) {
      this.#names = [];
      return;
    }
    try {
      const { latest } = await readCheckedJson(this.#path);
      if (Array.isArray(latest)) this.#names = latest.filter((name) => typeof name === "string");
    } catch (error) {
      log.error({ err: error }, "the order of bridge activations is lost");
    }
  }

  put(changes: FolderChanges, name: string): Promise<void> {
    return this.#write(changes, [name, ...this.#names.filter((other) => other !== name)]);
  }

  remove(changes: FolderChanges, name: string): Promise<void> {
    return this.#write(
      changes,
      this.#names.filter((other) => other !== name),
    );
  }

  /**
   * One bridge from one space into another: the last activated one, else one made here before a
   * shipped one, else the first in the given order.
   */
  choose(bridges: readonly Bridge[]): Bridge[] {
    const place = ({ name }: Bridge) => {
      const at = this.#names.indexOf(name);
      return at < 0 ? this.#names.length : at;
    };
    const ordered = [...bridges].sort(
      (one, other) => place(one) - place(other) || Number(one.shipped) - Number(other.shipped),
    );
    const isFirst = ({ fromSpace, toSpace }: Bridge, at: number) =>
      ordered.findIndex((other) => other.fromSpace === fromSpace && other.toSpace === toSpace) ===
      at;
    return ordered.filter(isFirst);
  }

  async #write(changes: FolderChanges, names: string[]): Promise<void> {
    if (names.length > 0) await changes.write(latestFile, checkedJson({ latest: names }));
    else if (existsSync(this.#path)) await changes.remove(latestFile);
  }
}
