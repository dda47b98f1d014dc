import { join } from "node:path";
import { AppError } from "../../errors.js";
import { CollectionRows } from "./collection-rows.js";
import { lockDataFolder } from "./data-folder-lock.js";
import { derivedDamage } from "./derived-file.js";
import { sizeIfThere } from "./durable-file.js";
import { checkStructure, databaseFiles, inspectDatabase } from "./inspect-database.js";
import { mediaDamage } from "./media-damage.js";
import { checkSchemaVersion } from "./schema.js";
import { snapshotFiles } from "./snapshot.js";
import { openToRead } from "./sqlite.js";

/** The finding for one file of a data folder. */
export interface FileFinding {
  check: string;
  ok: boolean;
  /** Something optional that is missing. */
  absent?: boolean;
  found: string;
}

/**
 * Checks every file that the store keeps in a data folder, and changes none. Files in use by a
 * server are skipped: it checks them when it starts and before every backup.
 */
export async function checkDataFolder(dataDir: string): Promise<FileFinding[]> {
  const check = "database";
  const { database, log } = databaseFiles(dataDir);
  try {
    if (sizeIfThere(dataDir) === undefined || isUnused(dataDir))
      return [{ check, ok: true, absent: true, found: "no collections yet" }];
    const unlock = await lockDataFolder(dataDir);
    try {
      const sums = inspectDatabase(dataDir)?.sums;
      if ((sizeIfThere(log) ?? 0) > 0 && sums !== undefined) {
        const found = `${sums.pageCount} pages are intact; the next start reads the log`;
        return [{ check, ok: true, found }];
      }
      return await readDatabase(dataDir, database, sums?.pageCount);
    } finally {
      unlock();
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [{ check, ok: error.code === "storage_locked", found: error.message }];
  }
}

function isUnused(dataDir: string): boolean {
  const { database } = databaseFiles(dataDir);
  return sizeIfThere(database) === undefined && inspectDatabase(dataDir) === undefined;
}

async function readDatabase(dataDir: string, database: string, pages: number | undefined) {
  const findings: FileFinding[] = [];
  const db = openToRead(database);
  try {
    const version = checkSchemaVersion(db);
    if (pages === undefined) checkStructure(db, database);
    const { sums } = databaseFiles(dataDir);
    findings.push(
      pages === undefined
        ? {
            check: "database",
            ok: version === 1, // older versions had no checksums
            found:
              `"${sums}" is missing: only the structure was checked, and ` +
              "is intact; the next start recreates it",
          }
        : { check: "database", ok: true, found: `${pages} pages, checksums match` },
    );
    for (const { name, snapshot } of new CollectionRows(db).list()) {
      const folder = join(dataDir, "index");
      const files = snapshot === undefined ? [] : snapshotFiles(snapshot);
      for (const record of files) {
        const damage = derivedDamage(folder, record);
        const path = join(folder, record.file);
        findings.push({
          check: `index of ${name}`,
          ok: damage === undefined,
          found:
            damage === undefined
              ? `${record.file}, checksum matches`
              : `"${path}" is damaged (${damage}): the next start recreates it from the ` +
                "database",
        });
      }
    }
    if (version >= 4) {
      const { count, damaged } = await mediaDamage(db, join(dataDir, "media"));
      const check = "kept media";
      for (const found of damaged) findings.push({ check, ok: false, found });
      if (damaged.length === 0 && count > 0)
        findings.push({ check, ok: true, found: `${count} files, as their names say` });
    }
    return findings;
  } finally {
    db.close();
  }
}
