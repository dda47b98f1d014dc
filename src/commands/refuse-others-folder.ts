import { mkdtempSync, rmdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../errors.js";

/**
 * Refuses to work as root in a data folder of somebody else: keys, models and databases that root
 * makes there are files that the folder's server cannot read.
 * @throws AppError `invalid_input`.
 */
export function refuseOthersFolder(dataDir: string, uid = process.getuid?.()): void {
  if (uid !== 0) return;
  const folder = folderAt(dataDir);
  if (folder === undefined || folder.uid === 0) return;
  const { uid: owner, gid } = folder;
  if ([undefined, owner].includes(ownerOfNew(dataDir))) return;
  const message =
    `The data folder "${dataDir}" belongs to user ${owner}, who could not read what root writes ` +
    `there; run this as that user: sudo -u '#${owner}' …, or --user ${owner}:${gid} of a container`;
  throw new AppError("invalid_input", message, { param: "dataDir" });
}

/** One that cannot be looked at is told where it is used. */
function folderAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Some file systems, such as SMB's, give all files to one user, whoever writes them. */
function ownerOfNew(dataDir: string): number | undefined {
  try {
    const made = mkdtempSync(join(dataDir, ".owner-"));
    const { uid } = statSync(made);
    rmdirSync(made);
    return uid;
  } catch {
    return undefined; // nothing can be written, which is told where it is tried
  }
}
