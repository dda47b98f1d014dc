import type { Log } from "../log.js";
import { type ReadBridgeVersion, readBridgeVersion } from "./bridge-version.js";
import { activeIn, noVersion, type VersionFolder } from "./version-folder.js";

/** What is kept in memory for one bridge. */
export interface BridgeRecord {
  versions: ReadBridgeVersion[];
  /** Activations of existing versions. */
  history: number[];
  /** Why the active version is unknown. */
  damage?: string;
}

interface ReadOptions {
  shipped: ReadBridgeVersion | undefined;
  /** As read before; only its `changed` versions are read again. */
  before?: BridgeRecord;
  changed?: ReadonlySet<number | undefined>;
  log: Log;
}

/** @returns undefined when there is no such bridge. */
export async function readBridge(
  folder: VersionFolder,
  name: string,
  { shipped, before, changed, log }: ReadOptions,
): Promise<BridgeRecord | undefined> {
  const { numbers, history, damage } = await folder.get(name);
  const versions = shipped === undefined ? [] : [shipped];
  for (const version of numbers) {
    const existing = before?.versions.find((other) => other.version === version && !other.shipped);
    const place = { name, version, shipped: false };
    versions.push(
      existing !== undefined && !changed?.has(version)
        ? existing
        : await readBridgeVersion(folder.pathOf(name, version), place, log),
    );
  }
  if (versions.length + history.length === 0 && damage === undefined) return undefined;
  const hasVersion = (number: number) =>
    number === noVersion || versions.some(({ version }) => version === number);
  const active = activeIn(history);
  const why =
    active === undefined || hasVersion(active)
      ? damage
      : `Version ${active} of the bridge "${name}", the active one, is missing`;
  if (why !== undefined) log.error({ bridge: name }, `no version of the bridge is used: ${why}`);
  return { versions, history: history.filter(hasVersion), damage: why };
}
