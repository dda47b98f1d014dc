import { ContentFiles } from "../../files/content-files.js";
import { type Database, guard } from "./sqlite.js";

/**
 * Reads every file of kept media that an item refers to.
 * @returns how many there are, and a sentence for each that is gone or damaged.
 */
export async function mediaDamage(
  db: Database,
  folder: string,
): Promise<{ count: number; damaged: string[] }> {
  const files = new ContentFiles(folder);
  const kept = guard(() =>
    db
      .prepare(
        `SELECT sha256, bytes, count(*) AS items, min(id) AS id
         FROM media JOIN items USING (row) GROUP BY sha256`,
      )
      .all(),
  ) as { sha256: string; bytes: number; items: number; id: string }[];
  const damaged: string[] = [];
  for (const { sha256, bytes, items, id } of kept) {
    if (await files.has({ sha256, bytes })) continue;
    const others = items > 1 ? ` and ${items - 1} more items` : "";
    damaged.push(
      `"${files.pathOf(sha256)}" is damaged or gone: ` +
        `add the item "${id}"${others} again, or restore a backup`,
    );
  }
  return { count: kept.length, damaged };
}
