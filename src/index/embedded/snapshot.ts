import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import type { Graph, GraphEngine } from "./graph.js";

/**
 * What the database knows of a graph file, and the only reason to trust it. The file holds the engine's bytes and nothing
 * else; docs/index-format.md describes both.
 */
export interface SnapshotRecord {
  version: typeof snapshotVersion;
  /** Name of the file in the folder `index`; never used twice. */
  file: string;
  engine: string;
  space: string;
  dimensions: number;
  /** Row numbers in the graph. */
  size: number;
  /** Every row of the collection up to this one that existed when the graph was saved is in it. */
  lastRow: number;
  bytes: number;
  sha256: string;
}

const snapshotVersion = 1;

/** A graph that is about to be described by a record: its file is complete but not yet pointed to. */
export type NewSnapshot = Pick<
  SnapshotRecord,
  "file" | "engine" | "space" | "dimensions" | "size" | "lastRow"
>;

/**
 * Writes a graph so that a crash leaves either the whole file or none: temporary name, fsync, rename, fsync of the folder.
 * The graph is saved before this first waits; it may change from then on.
 *
 * @returns the record to store in the database; until that is committed, the previous file stays valid.
 */
export async function writeSnapshot(
  folder: string,
  graph: Graph,
  snapshot: NewSnapshot,
): Promise<SnapshotRecord> {
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `${snapshot.file}.part`);
  try {
    graph.save(temporary);
    const sha256 = createHash("sha256");
    for await (const chunk of createReadStream(temporary, { highWaterMark: 1 << 20 }))
      sha256.update(chunk as Buffer);
    flush(temporary);
    const bytes = statSync(temporary).size;
    renameSync(temporary, join(folder, snapshot.file));
    flush(folder);
    return { ...snapshot, version: snapshotVersion, bytes, sha256: sha256.digest("hex") };
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Loads a graph when its file is exactly the one that the record describes.
 * @returns the graph, or why it has to be built again.
 */
export function loadSnapshot(
  folder: string,
  record: SnapshotRecord,
  engine: GraphEngine,
  collection: { space: string; dimensions: number },
): { graph: Graph } | { doubt: string } {
  const { version, dimensions, space } = record;
  if (version !== snapshotVersion)
    return { doubt: `format version ${version}, expected ${snapshotVersion}` };
  if (record.engine !== engine.name)
    return { doubt: `engine ${record.engine}, expected ${engine.name}` };
  if (dimensions !== collection.dimensions || space !== collection.space)
    return { doubt: "another space or size" };
  const damage = snapshotDamage(folder, record);
  if (damage !== undefined) return { doubt: damage };
  try {
    const graph = engine.load(join(folder, record.file), dimensions);
    return graph.size === record.size
      ? { graph }
      : { doubt: `${graph.size} rows, expected ${record.size}` };
  } catch (error) {
    return { doubt: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether the file is exactly the one that the record describes. @returns what differs. */
export function snapshotDamage(folder: string, record: SnapshotRecord): string | undefined {
  const file = join(folder, record.file);
  try {
    const { size } = statSync(file);
    if (size !== record.bytes) return `${size} bytes, expected ${record.bytes}`;
    return hashOf(file) === record.sha256 ? undefined : "sha256 differs";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Removes every file in the folder that no record points to: old snapshots and what a crash left half written. */
export function removeOtherSnapshots(folder: string, records: readonly SnapshotRecord[]): void {
  const keep = new Set(records.map(({ file }) => file));
  try {
    for (const name of readdirSync(folder))
      if (!keep.has(name)) rmSync(join(folder, name), { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function hashOf(file: string): string {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(1 << 20);
  const handle = openSync(file, "r");
  try {
    for (let read = readSync(handle, chunk); read > 0; read = readSync(handle, chunk))
      hash.update(chunk.subarray(0, read));
  } finally {
    closeSync(handle);
  }
  return hash.digest("hex");
}

function flush(path: string) {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
