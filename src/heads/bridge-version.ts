import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProjectionHead, readHead, writeHead } from "../encoders/head.js";
import { AppError } from "../errors.js";
import type { Log } from "../log.js";
import { readSafetensors } from "../math/safetensors.js";
import { verifyVersion } from "./version-folder.js";

/** A head from one space into another, ready for use. */
export interface Bridge {
  name: string;
  version: number;
  fromSpace: string;
  toSpace: string;
  head: ProjectionHead;
  /** Shipped; always version 1. */
  shipped: boolean;
}

/** The bridges that searches may use. */
export interface Bridges {
  active(): readonly Bridge[];
}

/** The record of a new bridge, in wire spelling. */
export interface BridgeReport {
  texts: number;
  job?: string;
  [fact: string]: unknown;
}

/** One version in a list. */
interface BridgeVersion {
  version: number;
  shipped: boolean;
  active: boolean;
  fromSpace?: string;
  toSpace?: string;
  method?: string;
  /** Why it cannot be used with the loaded models, or at all. */
  unusable?: string;
  report?: unknown;
}

/** A bridge in a list. */
export interface ListedBridge {
  name: string;
  /** Whether searches take its active version. */
  inUse: boolean;
  /** Why the active version is unknown. */
  damage?: string;
  versions: BridgeVersion[];
}

/** A version with its weights, if they can be read. */
export type ReadBridgeVersion = BridgeVersion & { bridge?: Bridge };

/** A bridge to keep as the next version of its name. */
export type NewBridge = Pick<Bridge, "name" | "fromSpace" | "toSpace" | "head"> & {
  method: string;
  report: BridgeReport;
};

const weightsFile = "bridge.safetensors";
const reportFile = "report.json";

/** The files of a version's folder. */
export function writeBridgeFiles({ name, fromSpace, toSpace, head, method, report }: NewBridge) {
  return {
    [weightsFile]: writeHead(head, { name, from_space: fromSpace, to_space: toSpace, method }),
    [reportFile]: `${JSON.stringify(report, undefined, 2)}\n`,
  };
}

/** Reads a version's folder; one that cannot be read is logged, and its `unusable` says why. */
export async function readBridgeVersion(
  folder: string,
  { name, version, shipped }: Pick<Bridge, "name" | "version" | "shipped">,
  log: Log,
): Promise<ReadBridgeVersion> {
  const listed = { version, shipped, active: false };
  try {
    if (!shipped) await verifyVersion(folder, name, version);
    const bytes = await readFile(join(folder, weightsFile));
    const { from_space: fromSpace, to_space: toSpace, method } = readSafetensors(bytes).metadata;
    if (fromSpace === undefined || toSpace === undefined) {
      throw new AppError("model_corrupt", "The bridge's file does not name its spaces");
    }
    const bridge = { name, version, fromSpace, toSpace, head: readHead(bytes), shipped };
    const report = await readJson(join(folder, reportFile));
    return { ...listed, fromSpace, toSpace, method, report, bridge };
  } catch (error) {
    log.error({ err: error, bridge: name, version }, "a bridge cannot be read");
    const why = error instanceof AppError ? error.message : "its file is missing";
    return {
      ...listed,
      unusable: `Version ${version} of the bridge "${name}" cannot be used: ${why}`,
    };
  }
}

/** The bridges in `folder`, by name: one version each. */
export async function readShippedBridges(
  folder: string,
  log: Log,
): Promise<Map<string, ReadBridgeVersion>> {
  const shipped = new Map<string, ReadBridgeVersion>();
  for (const name of existsSync(folder) ? (await readdir(folder)).sort() : []) {
    const version = { name, version: 1, shipped: true };
    shipped.set(name, await readBridgeVersion(join(folder, name), version, log));
  }
  return shipped;
}

/**
 * Why a bridge cannot be used with the loaded models; absent when it can. A space is an identity: a
 * bridge made for earlier weights of a model does not fit its current ones.
 */
function misfit(
  { name, version, fromSpace, toSpace }: Bridge,
  packs: readonly { id: string; space: string }[],
): string | undefined {
  const subject = `Version ${version} of the bridge "${name}"`;
  if (!packs.some(({ space }) => space === fromSpace)) {
    return `${subject} starts from ${fromSpace}, which no loaded model embeds into`;
  }
  const target = packs.find(({ id }) => toSpace.startsWith(`${id}@`));
  if (target === undefined || toSpace === target.space || toSpace.startsWith(`${target.space}+`))
    return undefined;
  return `${subject} leads to ${toSpace}, but "${target.id}" embeds into ${target.space}`;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** A version with why it is of no use with the loaded models, if it is. */
export const withFit = (
  read: ReadBridgeVersion,
  packs: readonly { id: string; space: string }[],
): ReadBridgeVersion =>
  read.bridge === undefined ? read : { ...read, unusable: misfit(read.bridge, packs) };
