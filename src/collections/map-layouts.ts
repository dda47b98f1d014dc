import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "../files/write-durably.js";
import type { CollectionStats } from "../index/vector-store.js";
import type { Log } from "../log.js";
import { readSafetensors, writeSafetensors } from "../math/safetensors.js";

/** Where a job laid the items of a collection out. */
export interface MapLayout {
  ids: string[];
  /** [N, 2] */
  points: Float32Array;
  /** Of the items as they were. */
  digest: string;
}

const Ids = z.array(z.string());
type Laid = Pick<CollectionStats, "name" | "createdAt" | "space">;

/** The latest layout of each collection: a file that can be computed again. */
export class MapLayouts {
  readonly #folder: string;
  readonly #log: Log;

  constructor({ folder, log }: { folder: string; log: Log }) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Undefined when there is none for the current collection of that name. */
  async read(collection: Laid): Promise<MapLayout | undefined> {
    const path = this.#pathOf(collection.name);
    if (!existsSync(path)) return undefined;
    try {
      const { tensors, metadata } = readSafetensors(await readFile(path));
      if (metadata.of !== idOf(collection)) return undefined;
      const ids = Ids.parse(JSON.parse(metadata.ids));
      return { ids, points: tensors.points.data, digest: metadata.digest };
    } catch (error) {
      this.#log.warn({ err: error, path }, "a map's layout cannot be read");
      return undefined;
    }
  }

  /** @param names  of all collections; layouts of others are removed. */
  async write(collection: Laid, layout: MapLayout, names: readonly string[]): Promise<void> {
    const { ids, points, digest } = layout;
    const bytes = writeSafetensors({
      tensors: { points: { shape: [ids.length, 2], data: points } },
      metadata: { of: idOf(collection), ids: JSON.stringify(ids), digest },
    });
    await writeDurably(this.#pathOf(collection.name), bytes);
    const kept = new Set([collection.name, ...names].map(fileOf));
    for (const file of await readdir(this.#folder))
      if (!kept.has(file)) await rm(join(this.#folder, file), { force: true });
  }

  #pathOf(name: string): string {
    return join(this.#folder, fileOf(name));
  }
}

const idOf = ({ name, createdAt, space }: Laid) => JSON.stringify([name, createdAt, space]);

const fileOf = (name: string) =>
  `${createHash("sha256").update(name).digest("hex").slice(0, 24)}.safetensors`;
