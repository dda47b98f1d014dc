import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type DerivedFile,
  derivedDamage,
  readDerived,
  savingParts,
  writeDerived,
} from "./derived-file.js";
import type { GraphEngine } from "./graph.js";
import { GroupedGraph } from "./grouped-graph.js";
import type { QuantizedPiece } from "./quantized-copy.js";

/**
 * The database's record of a collection's files in the folder `index`; docs/index-format.md
 * describes both.
 */
export interface SnapshotRecord {
  version: typeof snapshotVersion;
  space: string;
  dimensions: number;
  graph?: GraphRecord;
  copy?: CopyRecord;
}

export interface GraphRecord {
  engine: string;
  /** Rows in it. */
  size: number;
  /** Every row of the collection up to this one that existed when the graph was saved is in it. */
  lastRow: number;
  /** The engine's bytes and nothing else. */
  nodes: DerivedFile;
  /**
   * float64, little-endian: pairs of a row and its node. Absent when every row is a node.
   */
  links?: DerivedFile;
}

export interface CopyRecord {
  /**
   * The pieces in sequence: row numbers in float64, little-endian, then the values in int8.
   */
  file: DerivedFile;
  pieces: { rows: number; scale: number }[];
}

/**
 * Raised when a file changes its meaning, which includes the functions in rotate.ts and
 * quantize.ts. 2: rows may share a node; 8-bit copies.
 */
const snapshotVersion = 2;

/** A record from the database; undefined for another version. */
export function readSnapshotRecord(json: string | null): SnapshotRecord | undefined {
  const record = json === null ? undefined : (JSON.parse(json) as SnapshotRecord);
  return record?.version === snapshotVersion ? record : undefined;
}

/** The record with some parts replaced; parts of another space are dropped. */
export function updatedRecord(
  old: SnapshotRecord | undefined,
  { space, dimensions }: { space: string; dimensions: number },
  parts: Pick<SnapshotRecord, "graph" | "copy">,
): SnapshotRecord {
  const kept = old?.space === space && old.dimensions === dimensions ? old : undefined;
  return { ...kept, ...parts, version: snapshotVersion, space, dimensions };
}

/**
 * Saves a graph in its current state; it may change afterwards. @param name  of its files, without
 * extension.
 */
export async function writeGraph(
  folder: string,
  name: string,
  graph: GroupedGraph,
  of: Pick<GraphRecord, "engine" | "lastRow">,
): Promise<GraphRecord> {
  const { links, size } = graph;
  const nodes = await writeDerived(folder, `${name}.graph`, (path) => graph.saveNodes(path));
  const record = { ...of, size, nodes };
  if (links.length === 0) return record;
  const save = savingParts([bytesOf(links)]);
  return { ...record, links: await writeDerived(folder, `${name}.links`, save) };
}

/**
 * Loads a graph if its files match the record exactly: native loaders crash on anything else.
 * @returns the graph, or why it must be rebuilt.
 */
export function loadGraph(
  folder: string,
  record: GraphRecord,
  engine: GraphEngine,
  dimensions: number,
): { graph: GroupedGraph } | { doubt: string } {
  if (record.engine !== engine.name)
    return { doubt: `engine ${record.engine}, expected ${engine.name}` };
  const links = new Float64Array((record.links?.bytes ?? 0) / 8);
  const damage =
    derivedDamage(folder, record.nodes) ??
    (record.links && readDerived(folder, record.links, [bytesOf(links)]));
  if (damage !== undefined) return { doubt: damage };
  try {
    const nodes = engine.load(join(folder, record.nodes.file), dimensions);
    const graph = new GroupedGraph(nodes, links);
    return graph.size === record.size
      ? { graph }
      : { doubt: `${graph.size} rows, expected ${record.size}` };
  } catch (error) {
    return { doubt: error instanceof Error ? error.message : String(error) };
  }
}

/** A piece of an 8-bit copy with the row numbers of its vectors. */
export interface SavedPiece extends Omit<QuantizedPiece, "first"> {
  numbers: Float64Array;
}

/** Saves pieces that do not change meanwhile. */
export async function writeCopy(
  folder: string,
  name: string,
  pieces: readonly SavedPiece[],
): Promise<CopyRecord> {
  const parts = pieces.flatMap(({ numbers, values }) => [bytesOf(numbers), bytesOf(values)]);
  return {
    file: await writeDerived(folder, `${name}.i8`, savingParts(parts)),
    pieces: pieces.map(({ rows, scale }) => ({ rows, scale })),
  };
}

/** @returns the pieces, or why the copy must be computed again. */
export function loadCopy(
  folder: string,
  record: CopyRecord,
  dimensions: number,
): { pieces: SavedPiece[] } | { doubt: string } {
  const pieces = record.pieces.map(({ rows, scale }) => {
    return {
      rows,
      scale,
      numbers: new Float64Array(rows),
      values: new Int8Array(rows * dimensions),
    };
  });
  const parts = pieces.flatMap(({ numbers, values }) => [bytesOf(numbers), bytesOf(values)]);
  const doubt = readDerived(folder, record.file, parts);
  return doubt === undefined ? { pieces } : { doubt };
}

/** The files that a record points to. */
export function snapshotFiles({ graph, copy }: SnapshotRecord): DerivedFile[] {
  return [graph?.nodes, graph?.links, copy?.file].filter((file) => file !== undefined);
}

/**
 * Removes every file that no record points to: old snapshots and half-written files of a crash.
 */
export function removeOtherSnapshots(folder: string, records: readonly SnapshotRecord[]): void {
  const keep = new Set(records.flatMap(snapshotFiles).map(({ file }) => file));
  try {
    for (const name of readdirSync(folder))
      if (!keep.has(name)) rmSync(join(folder, name), { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function bytesOf(numbers: Float64Array | Int8Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
