import type { MirroredFolder } from "../index/postgres/state/mirrored-folder.js";
import type { Log } from "../log.js";
import { filesOfKind, rootOfKind, type StateKind } from "./state-kinds.js";

/**
 * Brings what a data folder has of a kind into a database that never had any of it: a server that
 * moves to a database goes on with its heads, and asks for the same keys.
 */
export async function takeOver(
  dataDir: string,
  kind: StateKind,
  { to, log }: { to: MirroredFolder; log: Log },
): Promise<void> {
  if (to.epoch > 0) return;
  const paths = await filesOfKind(dataDir, kind);
  if (await to.takeOver(rootOfKind(dataDir, kind), paths))
    log.info({ folder: to.name, files: paths.length }, "taken over into the database");
}
