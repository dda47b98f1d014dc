import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { checkedJson, readCheckedJson } from "../files/checked-json.js";
import { writeDurably } from "../files/write-durably.js";
import type { Log } from "../log.js";
import type { Bridge } from "./bridge-version.js";

/** Names of bridges in the order of their last activations, newest first, in a file. */
export class LatestBridges {
  readonly #path: string;
  #names: string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** A damaged file costs the order alone. */
  async read(log: Log): Promise<void> {
    if (!existsSync(this.#path)) return;
    try {
      const { latest } = await readCheckedJson(this.#path);
      if (Array.isArray(latest)) this.#names = latest.filter((name) => typeof name === "string");
    } catch (error) {
      log.error({ err: error }, "it is not known which bridge was activated last");
    }
  }

  put(name: string): Promise<void> {
    return this.#write([name, ...this.#names.filter((other) => other !== name)]);
  }

  remove(name: string): Promise<void> {
    return this.#write(this.#names.filter((other) => other !== name));
  }

  /**
   * One bridge from a space into another: the one that was activated last, then what was made here
   * before what is shipped, then the order given.
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

  async #write(names: string[]): Promise<void> {
    if (names.length > 0) await writeDurably(this.#path, checkedJson({ latest: names }));
    else await rm(this.#path, { force: true });
    this.#names = names;
  }
}
